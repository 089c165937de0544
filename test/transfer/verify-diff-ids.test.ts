import { expect, test } from 'vitest'
import { digestOf } from '../../lib/digest/index.ts'
import { canonicalJson } from '../../lib/internal/canonical-json.ts'
import { type Descriptor, MediaType } from '../../lib/oci/index.ts'
import type { RegistryClient } from '../../lib/registry/index.ts'
import { layerFact, readDocument, type Store } from '../../lib/store/index.ts'
import { planPull, runPull } from '../../lib/transfer/index.ts'
import { sampleImage } from '../helpers/sample-image.ts'
import { registry, remote, serveRegistry, server, store } from '../helpers/served-registry.ts'

serveRegistry()
/** Notes from now on which blobs of a store are read. */
function readsOf(store: Store): string[] {
  const reads: string[] = []
  const read = store.read.bind(store)
  store.read = (digest, options) => {
    reads.push(digest)
    return read(digest, options)
  }
  return reads
}
const pull = async () => runPull(await planPull(registry, store, `${server.host}/app:1`), { verifyDiffIds: true })

test('layers are proven against their diffIDs, and their indexes are kept', async () => {
  const { layers } = await sampleImage(remote, [{ a: 'a' }, { b: 'b' }], { name: 'app:1' })
  const opened = readsOf(store)
  await pull()
  expect(opened).toEqual(expect.not.arrayContaining(layers.map(({ descriptor }) => descriptor.digest)))
  for (const { descriptor, diffId } of layers) {
    expect(await store.derived.get('indexes', diffId)).toBeDefined()
    expect(await layerFact(store, descriptor.digest)).toMatchObject({ diffId, proven: true })
  }
  // The second pull does not open proven layers.
  await pull()
  expect(opened).toEqual(expect.not.arrayContaining(layers.map(({ descriptor }) => descriptor.digest)))
})

test('a layer with a wrong media type is stored first, then proven by its diffID', async () => {
  const { config, manifest, layers } = await sampleImage(remote, [{ a: 'a' }])
  const other = { ...layers[0]!.descriptor, mediaType: MediaType.OciLayerZstd }
  const bytes = canonicalJson({ ...manifest, layers: [other] })
  await remote.references.set('app:1', { mediaType: MediaType.OciManifest, ...(await remote.put(bytes)) })
  await pull()
  const diffId = config.rootfs.diff_ids[0]
  expect(await layerFact(store, other.digest)).toMatchObject({ diffId, proven: true })
})

test('an interrupted layer reports the interruption, and resumes', async () => {
  const { layers } = await sampleImage(remote, [{ a: Buffer.alloc(300_000, 'a').toString() }], { name: 'app:1' })
  const plan = await planPull(registry, store, `${server.host}/app:1`)
  const { digest } = layers[0]!.descriptor
  const fault = new Error('cut')
  const cut = Object.create(registry, {
    fetchBlob: {
      value: async function* (...asked: Parameters<RegistryClient['fetchBlob']>) {
        if (asked[1].digest !== digest) return yield* registry.fetchBlob(...asked)
        for await (const chunk of registry.fetchBlob(...asked)) {
          yield chunk.subarray(0, 10)
          throw fault
        }
      },
    },
  }) as RegistryClient
  await expect(runPull(plan, { registry: cut, verifyDiffIds: true })).rejects.toBe(fault)
  await pull()
  expect(await layerFact(store, digest)).toMatchObject({ diffId: layers[0]!.diffId, proven: true })
})

test('a config with a wrong diffID is detected and no name is set; without the option the name is set', async () => {
  const { config, manifest, layers } = await sampleImage(remote, [{ a: 'a' }])
  const diffId = `sha256:${'1'.repeat(64)}`
  const wrong = canonicalJson({ ...config, rootfs: { type: 'layers', diff_ids: [diffId] } })
  const configBlob = { mediaType: MediaType.OciConfig, ...(await remote.put(wrong)) }
  const bytes = canonicalJson({ ...manifest, config: configBlob })
  await remote.references.set('app:1', { mediaType: MediaType.OciManifest, ...(await remote.put(bytes)) })
  await expect(pull()).rejects.toMatchObject({ code: 'ERR_DIFF_ID_MISMATCH', layer: layers[0]!.descriptor.digest })
  expect(await store.references.get(`${server.host}/app:1`)).toBeUndefined()
  expect(await layerFact(store, layers[0]!.descriptor.digest)).toMatchObject({
    diffId: layers[0]!.diffId,
    proven: true,
  })
  await runPull(await planPull(registry, store, `${server.host}/app:1`))
  expect(await store.references.get(`${server.host}/app:1`)).toBeDefined()
})

const IN_TOTO = 'application/vnd.in-toto+json'
const blob = async (mediaType: string, content: Uint8Array | string): Promise<Descriptor> => ({
  mediaType,
  ...(await remote.put(Buffer.from(content))),
})

/** An image of these layers whose config lists these diffIDs. */
async function imageOf(layers: readonly Descriptor[], diff_ids: readonly string[] | undefined): Promise<Descriptor> {
  const config = { os: 'unknown', architecture: 'unknown', rootfs: { type: 'layers', ...(diff_ids && { diff_ids }) } }
  const described = await blob(MediaType.OciConfig, canonicalJson(config))
  const manifest = { schemaVersion: 2, mediaType: MediaType.OciManifest, config: described, layers }
  return blob(MediaType.OciManifest, canonicalJson(manifest))
}

const pullAll = async () =>
  runPull(await planPull(registry, store, `${server.host}/app:1`, { allPlatforms: true }), { verifyDiffIds: true })

test("an index with BuildKit's attestations is proven: a blob that is no tar is compared by its own digest", async () => {
  const image = await sampleImage(remote, [{ a: 'a' }])
  const statement = await blob(IN_TOTO, '{"_type":"https://in-toto.io/Statement/v0.1"}')
  const attestation = {
    ...(await imageOf([statement, statement], [statement.digest, statement.digest])),
    platform: { os: 'unknown', architecture: 'unknown' },
    annotations: { 'vnd.docker.reference.type': 'attestation-manifest' },
  }
  const platform = { os: 'linux', architecture: 'amd64' }
  const manifests = [{ ...image.descriptor, platform }, attestation]
  const index = canonicalJson({ schemaVersion: 2, mediaType: MediaType.OciIndex, manifests })
  await remote.references.set('app:1', await blob(MediaType.OciIndex, index))
  expect(await pullAll()).toMatchObject({ unverified: [] })
  expect(await layerFact(store, image.layers[0]!.descriptor.digest)).toMatchObject({ proven: true })
})

test('a diffID of another algorithm is compared with the content, and a mismatch is reported', async () => {
  const statement = await blob(IN_TOTO, '{}')
  const long = await digestOf(Buffer.from('{}'), { algorithm: 'sha512' })
  await remote.references.set('app:1', await imageOf([statement], [long]))
  expect(await pullAll()).toMatchObject({ unverified: [] })
  const other = `sha256:${'1'.repeat(64)}`
  await remote.references.set('app:1', await imageOf([statement], [other]))
  await expect(pullAll()).rejects.toMatchObject({
    code: 'ERR_DIFF_ID_MISMATCH',
    layer: statement.digest,
    expected: other,
    actual: statement.digest,
  })
})

test.each(['+encrypted', '+gzip+encrypted', '+zstd+encrypted'])(
  'an encrypted layer (%s) is reported, and never opened',
  async suffix => {
    const layer = await blob(`${MediaType.OciLayer}${suffix}`, 'nothing but noise')
    await remote.references.set('app:1', await imageOf([layer], [`sha256:${'1'.repeat(64)}`]))
    const opened = readsOf(store)
    const { digest, mediaType } = layer
    expect((await pullAll()).unverified).toEqual([{ digest, mediaType, reason: expect.stringContaining('encrypted') }])
    expect(opened).not.toContain(digest)
    expect(await readDocument(store, layer)).toEqual(Buffer.from('nothing but noise'))
  },
)

test('an image whose config lists no diffIDs is rejected, because its layers cannot be proven', async () => {
  const { layers } = await sampleImage(remote, [{ a: 'a' }])
  await remote.references.set('app:1', await imageOf([layers[0]!.descriptor], undefined))
  await expect(pullAll()).rejects.toMatchObject({ code: 'ERR_INVALID_CONFIG', at: 'rootfs.diff_ids' })
  expect(await store.references.get(`${server.host}/app:1`)).toBeUndefined()
})

test('an artifact with the config type of images has no diffIDs to compare', async () => {
  const { layers } = await sampleImage(remote, [{ a: 'a' }])
  const other = await blob('application/vnd.example', 'anything')
  await remote.references.set('app:1', await imageOf([layers[0]!.descriptor, other], undefined))
  expect(await pullAll()).toMatchObject({ unverified: [] })
})
