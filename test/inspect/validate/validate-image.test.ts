import { gunzipSync, gzipSync } from 'node:zlib'
import { beforeEach, describe, expect, test } from 'vitest'
import { composeArtifact, type Image } from '../../../lib/image/index.ts'
import { validateImage } from '../../../lib/inspect/index.ts'
import { canonicalJson } from '../../../lib/internal/canonical-json.ts'
import { type Descriptor, MediaType } from '../../../lib/oci/index.ts'
import { createMemoryStore, type Store } from '../../../lib/store/index.ts'
import { rawTar } from '../../helpers/raw-tar.ts'
import { readAll } from '../../helpers/read-all.ts'
import { sampleImage } from '../../helpers/sample-image.ts'
import { sampleIndexImage } from '../../helpers/sample-index-image.ts'

let store: Store
let image: Image
beforeEach(async () => {
  store = createMemoryStore()
  image = await sampleImage(store, [{ a: '1' }, { b: '2' }])
})

async function put(document: object, mediaType: string = MediaType.OciManifest): Promise<Descriptor> {
  return { mediaType, ...(await store.put(canonicalJson(document))) }
}

async function faultsOf(root: Descriptor | string): Promise<string[]> {
  const { faults } = await validateImage(store, root)
  return faults.map(({ severity, code, at }) => `${severity} ${at} ${code}`)
}

test('a sound image has no faults, and every blob was read once', async () => {
  const sizes = [image.descriptor, image.manifest.config, ...image.manifest.layers].map(({ size }) => size)
  expect(await validateImage(store, image.descriptor)).toEqual({
    descriptor: image.descriptor,
    valid: true,
    faults: [],
    images: 1,
    blobs: 4,
    bytes: sizes.reduce((sum, size) => sum + size, 0),
  })
})

test('an artifact is read blob by blob', async () => {
  const layers = [{ content: 'report', mediaType: 'text/plain' }]
  const { descriptor } = await composeArtifact(store, { artifactType: 'application/x.report', layers })
  expect(await validateImage(store, descriptor)).toMatchObject({ valid: true, images: 1 })
})

describe('all faults are listed, not the first alone', () => {
  test('missing blobs, and blobs of another size', async () => {
    await store.delete(image.manifest.config.digest)
    await store.delete(image.manifest.layers[1]!.digest)
    expect(await faultsOf(image.descriptor)).toEqual([
      'error config ERR_BLOB_NOT_FOUND',
      'error layer 2 ERR_BLOB_NOT_FOUND',
    ])
    const [first, second] = image.manifest.layers
    const manifest = { ...image.manifest, layers: [{ ...first!, size: first!.size + 1 }, second] }
    expect(await faultsOf(await put(manifest))).toContain('error layer 1 ERR_SIZE_MISMATCH')
  })

  test('a layer that is no archive, and one that is not the layer of the config', async () => {
    const junk = { mediaType: MediaType.OciLayerGzip, ...(await store.put(gzipSync('no archive'.repeat(100)))) }
    const other = await sampleImage(store, [{ c: '3' }])
    const manifest = { ...image.manifest, layers: [junk, other.manifest.layers[0]!] }
    expect(await faultsOf(await put(manifest))).toEqual([
      'error layer 1 ERR_INVALID_TAR',
      'error layer 2 ERR_DIFF_ID_MISMATCH',
    ])
  })

  test('layers that are sound alone and contradict each other', async () => {
    const link = rawTar([{ path: 'link', type: '1', linkname: 'absent' }] as never)
    const layer = { mediaType: MediaType.OciLayer, ...(await store.put(link)) }
    const config = { ...image.config, rootfs: { type: 'layers', diff_ids: [layer.digest] }, history: [] }
    const manifest = { ...image.manifest, layers: [layer], config: await put(config, MediaType.OciConfig) }
    const faults = await faultsOf(await put(manifest))
    expect(faults).toHaveLength(1)
    expect(faults[0]).toMatch(/^error layers? ?1? ?ERR_/)
  })

  test('a config that lists other layers than the manifest, and a history that does not describe them', async () => {
    const config = await put({ ...image.config, history: [{ created_by: 'all' }] }, MediaType.OciConfig)
    expect(await faultsOf(await put({ ...image.manifest, config }))).toEqual(['warning config history-mismatch'])
    const few = { ...image.config, rootfs: { type: 'layers', diff_ids: [image.layers[0]!.diffId] } }
    const manifest = { ...image.manifest, config: await put(few, MediaType.OciConfig) }
    expect(await faultsOf(await put(manifest))).toEqual(['error config ERR_INVALID_CONFIG'])
  })

  test('media types of two families, and a config without a platform', async () => {
    const { os: _os, architecture: _, ...config } = image.config
    const layers = image.manifest.layers.map(layer => ({ ...layer, mediaType: MediaType.DockerLayerGzip }))
    const manifest = { ...image.manifest, layers, config: await put(config, MediaType.OciConfig) }
    expect(await faultsOf(await put(manifest))).toEqual([
      'warning manifest mixed-media-types',
      'warning config no-platform',
    ])
  })

  test('a path that stands twice in a layer', async () => {
    const tar = rawTar([
      { path: 'a', content: '1' },
      { path: 'a', content: '2' },
    ])
    const layer = { mediaType: MediaType.OciLayer, ...(await store.put(tar)) }
    const config = { ...image.config, rootfs: { type: 'layers', diff_ids: [layer.digest] }, history: [] }
    const manifest = { ...image.manifest, layers: [layer], config: await put(config, MediaType.OciConfig) }
    expect(await faultsOf(await put(manifest))).toEqual(['warning layer 1 duplicate-path'])
  })
})

test('a layer that was compressed anew under the digest of another blob is corrupt, although its tar is right', async () => {
  const { digest } = image.manifest.layers[0]!
  const bytes = await readAll(store.read(digest))
  const again = gzipSync(gunzipSync(bytes), { level: 1 })
  const lying: Store = {
    ...store,
    references: store.references,
    derived: store.derived,
    stat: asked => store.stat(asked),
    async *read(asked, options) {
      if (asked !== digest) yield* store.read(asked, options)
      else {
        yield again
        if (options?.verify === 'always') throw await corrupt(asked)
      }
    },
  } as Store
  const manifest = { ...image.manifest, layers: [{ ...image.manifest.layers[0]!, size: again.byteLength }] }
  const config = { ...image.config, rootfs: { type: 'layers', diff_ids: [image.layers[0]!.diffId] }, history: [] }
  const root = await put({ ...manifest, config: await put(config, MediaType.OciConfig) })
  const { faults } = await validateImage(lying, root)
  expect(faults).toMatchObject([{ severity: 'error', at: 'layer 1', code: 'ERR_BLOB_CORRUPT' }])
})

async function corrupt(digest: string): Promise<Error> {
  const { BlobCorruptError } = await import('../../../lib/errors/index.ts')
  return new BlobCorruptError(digest as never, { actual: 'sha256:0' } as never)
}

describe('an index', () => {
  test('is checked with all of its images, or the one of a platform', async () => {
    const { descriptor, images } = await sampleIndexImage(store, ['amd64', 'arm64'])
    expect(await validateImage(store, descriptor)).toMatchObject({ valid: true, images: 2 })
    await store.delete(images[1]!.manifest.config.digest)
    expect(await faultsOf(descriptor)).toEqual(['error linux/arm64 config ERR_BLOB_NOT_FOUND'])
    expect(await validateImage(store, descriptor, { platform: 'linux/amd64' })).toMatchObject({
      valid: true,
      images: 1,
    })
  })

  test('with entries that contradict their configs or each other has faults', async () => {
    const other = await sampleImage(store, [{ c: '3' }])
    const platform = { os: 'linux', architecture: 'arm64' }
    const manifests = [image, other].map(({ descriptor }) => ({ ...descriptor, platform }))
    const index = { schemaVersion: 2, mediaType: MediaType.OciIndex, manifests }
    expect(await faultsOf(await put(index, MediaType.OciIndex))).toEqual([
      'error linux/arm64 config platform-mismatch',
      'warning index duplicate-platform',
      'error linux/arm64 config platform-mismatch',
    ])
  })

  test('nested deeper than readers go, or malformed, is a fault', async () => {
    let root = image.descriptor
    for (let i = 0; i < 7; i++) {
      root = await put({ schemaVersion: 2, mediaType: MediaType.OciIndex, manifests: [root] }, MediaType.OciIndex)
    }
    expect((await faultsOf(root)).at(-1)).toMatch(/ERR_INVALID_INDEX$/)
    const malformed = await put({ schemaVersion: 2, manifests: [{ digest: 5 }] }, MediaType.OciIndex)
    expect(await faultsOf(malformed)).toEqual([expect.stringMatching(/^error index ERR_/)])
  })
})

test('foreign and encrypted layers are said to be unchecked', async () => {
  const [first, second] = image.manifest.layers
  const layers = [
    { ...first!, mediaType: MediaType.DockerForeignLayerGzip },
    { ...second!, mediaType: `${MediaType.OciLayerGzip}+encrypted` },
  ]
  expect(await faultsOf(await put({ ...image.manifest, layers }))).toEqual([
    'warning manifest mixed-media-types',
    'warning layer 1 foreign-layer',
    'warning layer 2 encrypted-layer',
  ])
})

test('an abort rejects with its reason', async () => {
  const reason = new Error('stop')
  const signal = AbortSignal.abort(reason)
  await expect(validateImage(store, image.descriptor, { signal })).rejects.toBe(reason)
})
