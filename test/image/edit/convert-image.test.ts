import { describe, expect, test } from 'vitest'
import { convertImage, readImage, readImageDocument } from '../../../lib/image/index.ts'
import { canonicalJson } from '../../../lib/internal/canonical-json.ts'
import { readLayer } from '../../../lib/layer/index.ts'
import { type Descriptor, MediaType } from '../../../lib/oci/index.ts'
import { createMemoryStore, type Store } from '../../../lib/store/index.ts'
import { sampleImage } from '../../helpers/sample-image.ts'
import { sampleIndexImage } from '../../helpers/sample-index-image.ts'

async function pathsOf(store: Store, name: Descriptor): Promise<string[]> {
  const paths = []
  for (const layer of (await readImage(store, name)).layers) {
    for await (const entry of readLayer(store, layer.descriptor, { diffId: layer.diffId })) paths.push(entry.path)
  }
  return paths
}

test('layers are compressed anew, their diffIDs stay, and the way back gives the first digest', async () => {
  const store = createMemoryStore()
  const image = await sampleImage(store, [{ a: '1' }, { b: 'x'.repeat(9999) }])
  const plain = await convertImage(store, image.descriptor, { compression: 'none' })
  const read = await readImage(store, plain)
  expect(read.layers.map(({ diffId }) => diffId)).toEqual(image.layers.map(({ diffId }) => diffId))
  expect(read.layers.map(({ descriptor, diffId }) => [descriptor.mediaType, descriptor.digest === diffId])).toEqual([
    [MediaType.OciLayer, true],
    [MediaType.OciLayer, true],
  ])
  expect(read.config).toEqual(image.config)
  expect(await pathsOf(store, plain)).toEqual(['a', 'b'])
  expect(await convertImage(store, plain, { compression: 'gzip' })).toEqual(image.descriptor)
})

test('Docker documents and back are the same image, without annotations', async () => {
  const store = createMemoryStore()
  const image = await sampleImage(store, [{ a: '1' }])
  const docker = await convertImage(store, image.descriptor, { documents: 'docker' })
  const read = await readImage(store, docker)
  expect(docker.mediaType).toBe(MediaType.DockerManifest)
  expect(read.manifest).toMatchObject({
    mediaType: MediaType.DockerManifest,
    config: { mediaType: MediaType.DockerConfig, digest: image.manifest.config.digest },
    layers: [{ mediaType: MediaType.DockerLayerGzip, digest: image.layers[0]!.descriptor.digest }],
  })
  expect(await convertImage(store, docker, { documents: 'oci' })).toEqual(image.descriptor)
})

test('all images of an index are converted, and attestations are left out', async () => {
  const store = createMemoryStore()
  const { descriptor: root, images } = await sampleIndexImage(store, ['amd64', 'arm64'])
  const document = await readImageDocument(store, root)
  if (document.kind !== 'index') throw new Error('no index')
  const about = {
    ...images[0]!.descriptor,
    platform: { os: 'unknown', architecture: 'unknown' },
    annotations: { 'vnd.docker.reference.digest': images[0]!.descriptor.digest },
  }
  const info = await store.put(canonicalJson({ ...document.index, manifests: [...document.index.manifests, about] }))
  await store.references.set('app:1', { mediaType: MediaType.OciIndex, ...info })
  const list = await convertImage(store, 'app:1', { documents: 'docker' })
  const converted = await readImageDocument(store, list)
  expect(converted).toMatchObject({
    kind: 'index',
    index: {
      mediaType: MediaType.DockerManifestList,
      'x.unknown': [1],
      manifests: [
        { mediaType: MediaType.DockerManifest, platform: { architecture: 'amd64' } },
        { mediaType: MediaType.DockerManifest, platform: { architecture: 'arm64' } },
      ],
    },
  })
  expect(converted.kind === 'index' && converted.index.manifests).toHaveLength(2)
})

describe('refuses', () => {
  test('Docker documents for layers compressed with zstd', async () => {
    const store = createMemoryStore()
    const image = await sampleImage(store, [{ a: '1' }])
    const [layer] = image.manifest.layers
    const manifest = { ...image.manifest, layers: [{ ...layer!, mediaType: MediaType.OciLayerZstd }] }
    const zstd = { mediaType: MediaType.OciManifest, ...(await store.put(canonicalJson(manifest))) }
    await expect(convertImage(store, zstd, { documents: 'docker' })).rejects.toMatchObject({
      code: 'ERR_INVALID_ARGUMENT',
      message: expect.stringContaining('convert its compression to gzip'),
    })
  })

  test('an encrypted layer, and an unknown compression', async () => {
    const store = createMemoryStore()
    const image = await sampleImage(store, [{ a: '1' }])
    const [layer] = image.manifest.layers
    const mediaType = 'application/vnd.oci.image.layer.v1.tar+gzip+encrypted'
    const manifest = { ...image.manifest, layers: [{ ...layer!, mediaType }] }
    const encrypted = { mediaType: MediaType.OciManifest, ...(await store.put(canonicalJson(manifest))) }
    await expect(convertImage(store, encrypted, { compression: 'none' })).rejects.toMatchObject({
      code: 'ERR_UNSUPPORTED_MEDIA_TYPE',
    })
    const options = { compression: 'xz' } as never
    await expect(convertImage(store, encrypted, options)).rejects.toMatchObject({ code: 'ERR_INVALID_ARGUMENT' })
  })

  test('a layer that does not have its diffID, and stores nothing of it', async () => {
    const store = createMemoryStore()
    const image = await sampleImage(store, [{ a: '1' }])
    const other = await sampleImage(store, [{ a: '2' }])
    const manifest = { ...image.manifest, layers: other.manifest.layers }
    const wrong = { mediaType: MediaType.OciManifest, ...(await store.put(canonicalJson(manifest))) }
    await expect(convertImage(store, wrong, { compression: 'none' })).rejects.toMatchObject({
      code: 'ERR_DIFF_ID_MISMATCH',
      expected: image.layers[0]!.diffId,
      actual: other.layers[0]!.diffId,
    })
    expect(await store.stat(other.layers[0]!.diffId)).toBeUndefined()
  })
})
