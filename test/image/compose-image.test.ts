import { expect, test } from 'vitest'
import { composeImage, composeManifest, findDescriptor, readImage } from '../../lib/image/index.ts'
import { canonicalJson } from '../../lib/internal/canonical-json.ts'
import { MediaType, parsePlatform } from '../../lib/oci/index.ts'
import { createMemoryStore } from '../../lib/store/index.ts'
import { sampleImage } from '../helpers/sample-image.ts'
import { sampleIndex } from '../helpers/sample-index.ts'

test('an image that was composed reads back as it was given', async () => {
  const store = createMemoryStore()
  const composed = await sampleImage(store, [{ 'a.txt': 'a' }, { 'b.txt': 'b' }], {
    name: 'app:1',
    config: { Cmd: ['a'] },
  })
  expect(await readImage(store, 'app:1', { platform: parsePlatform('amd64') })).toEqual(composed)
  expect(composed.config.config?.Cmd).toEqual(['a'])
})

test('the same input gives the same digest in another store', async () => {
  const [first, second] = [createMemoryStore(), createMemoryStore()]
  const layers = [{ 'a.txt': 'a', 'b/c.txt': 'c' }]
  const digests = [await sampleImage(first, layers), await sampleImage(second, layers)].map(i => i.descriptor.digest)
  expect(digests[0]).toBe(digests[1])
})

test('an image on top of another shares its layers and notes its digest', async () => {
  const store = createMemoryStore()
  const base = await sampleImage(store, [{ 'a.txt': 'a' }])
  const top = await sampleImage(store, [{ 'b.txt': 'b' }])
  const image = await composeImage(store, { base, layers: top.layers, annotations: { x: 'y' } })
  expect(image.layers).toEqual([...base.layers, ...top.layers])
  expect(image.manifest.annotations).toEqual({
    'org.opencontainers.image.base.digest': base.descriptor.digest,
    x: 'y',
  })
})

test('kinds of Docker blobs get their OCI names in a new manifest, other kinds stay', () => {
  const digest = `sha256:${'1'.repeat(64)}` as never
  const of = (mediaType: string) => ({ mediaType, digest, size: 1 })
  const manifest = composeManifest({
    config: of(MediaType.DockerConfig),
    layers: [of(MediaType.DockerLayerGzip), of('application/x-odd')],
  })
  expect([manifest.config, ...manifest.layers].map(d => d.mediaType)).toEqual([
    MediaType.OciConfig,
    MediaType.OciLayerGzip,
    'application/x-odd',
  ])
})

test('readImage of a missing name is an error that says so', async () => {
  const store = createMemoryStore()
  await expect(readImage(store, 'nobody:1')).rejects.toMatchObject({
    code: 'ERR_REFERENCE_NOT_FOUND',
    reference: 'nobody:1',
  })
  await expect(findDescriptor(store, `sha256:${'1'.repeat(64)}`)).rejects.toMatchObject({
    code: 'ERR_REFERENCE_NOT_FOUND',
  })
})

test('an image is found by the digest of its manifest', async () => {
  const store = createMemoryStore()
  const { descriptor } = await sampleImage(store, [{ a: 'a' }])
  expect(await findDescriptor(store, descriptor.digest)).toEqual(descriptor)
})

test('of an index the image of the platform asked for is read', async () => {
  const store = createMemoryStore()
  await sampleIndex(store, ['amd64', 'arm64'], 'multi:1')
  const image = await readImage(store, 'multi:1', { platform: parsePlatform('linux/arm64') })
  expect(image.config.architecture).toBe('arm64')
  await expect(readImage(store, 'multi:1', { platform: parsePlatform('linux/ppc64le') })).rejects.toMatchObject({
    code: 'ERR_PLATFORM_NOT_FOUND',
  })
})

test('indexes nested too deep are refused', async () => {
  const store = createMemoryStore()
  let below = await sampleIndex(store, ['amd64'], 'deep:1')
  for (let i = 0; i < 6; i++) {
    const manifests = [{ ...below, platform: { os: 'linux', architecture: 'amd64' } }]
    const info = await store.put(canonicalJson({ schemaVersion: 2, mediaType: MediaType.OciIndex, manifests }))
    below = { mediaType: MediaType.OciIndex, ...info }
  }
  await expect(readImage(store, below)).rejects.toMatchObject({ code: 'ERR_INVALID_INDEX' })
})

test('an artifact is not an image, and a config that lists other layers than its manifest is refused', async () => {
  const store = createMemoryStore()
  const config = { mediaType: MediaType.OciEmpty, ...(await store.put(Buffer.from('{}'))) }
  const artifact = await store.put(canonicalJson(composeManifest({ config, layers: [] })))
  const descriptor = { mediaType: MediaType.OciManifest, ...artifact }
  await expect(readImage(store, descriptor)).rejects.toMatchObject({ code: 'ERR_UNSUPPORTED_MEDIA_TYPE' })

  const image = await sampleImage(store, [{ a: 'a' }])
  const short = await store.put(canonicalJson({ ...image.manifest, layers: [] }))
  await expect(readImage(store, { mediaType: MediaType.OciManifest, ...short })).rejects.toMatchObject({
    code: 'ERR_INVALID_CONFIG',
    at: 'rootfs.diff_ids',
  })
})
