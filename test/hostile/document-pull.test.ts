import { expect, test } from 'vitest'
import { readImage } from '../../lib/image/index.ts'
import { MediaType } from '../../lib/oci/index.ts'
import { unpackImage } from '../../lib/rootfs/index.ts'
import { createMemoryStore, type Store } from '../../lib/store/index.ts'
import { planPull, runPull } from '../../lib/transfer/index.ts'
import { readAll } from '../helpers/read-all.ts'
import { registryClientFor } from '../helpers/registry-client-for.ts'
import { sampleConfig, sampleDigest } from '../helpers/sample-documents.ts'
import { ServedDocuments } from '../helpers/serve-documents.ts'
import { temporaryDirectory } from '../helpers/temporary-directory.ts'
import { thrownBy } from '../helpers/thrown-by.ts'

/*
 * `reliability.md` 2.6 through a whole pull: whatever a registry serves, no name in the store refers to a wrong image.
 */

const { OciManifest, OciIndex, OciConfig, OciLayer } = MediaType
const TAR = Buffer.alloc(1024)
const MIB4 = 4 * 1024 * 1024

type Served = ServedDocuments
type Described = Record<string, unknown>

const manifest = (members: object) => ({ schemaVersion: 2, mediaType: OciManifest, ...members })
const index = (manifests: unknown[]) => ({ schemaVersion: 2, mediaType: OciIndex, manifests })

interface Lies {
  readonly config?: object
  readonly layer?: object
  readonly configBody?: object | Uint8Array
  readonly layers?: (layer: Described) => unknown[]
}

function image(served: Served, lies: Lies = {}): Described {
  const layer = served.add(TAR, OciLayer, lies.layer)
  const rootfs = { type: 'layers', diff_ids: [sampleDigest(TAR.toString('latin1'))] }
  const config = served.add(lies.configBody ?? sampleConfig({ rootfs }), OciConfig, lies.config)
  return served.add(manifest({ config, layers: lies.layers?.(layer) ?? [layer] }), OciManifest)
}

/** Pulls `app:1` from the served documents into a new store; `look` checks the store. */
async function pull(served: Served, look: (store: Store) => Promise<void> = async () => {}, reference = 'app:1') {
  await using registry = await served.start()
  await using client = registryClientFor({ retries: { tries: 1 } })
  await using store = createMemoryStore()
  try {
    const whole = `${registry.host}/${reference}`
    await runPull(await planPull(client, store, whole, { allPlatforms: true }))
  } catch (error) {
    for await (const { name } of store.references.list()) expect.fail(`${name} has got a name`)
    throw error
  }
  await look(store)
}

const refusals: [name: string, code: string, build: (served: Served) => void][] = [
  [
    'digest-mismatch-tag',
    'ERR_DIGEST_MISMATCH',
    s => {
      image(s)
      const body = Buffer.from(JSON.stringify(manifest({ config: {}, layers: [] })))
      s.at('manifests/1', { body, headers: { 'content-type': OciManifest, 'docker-content-digest': sampleDigest() } })
    },
  ],
  [
    'digest-mismatch-child',
    'ERR_DIGEST_MISMATCH',
    s => {
      const child = image(s)
      s.tag('1', s.add(index([child]), OciIndex))
      s.at(`manifests/${child.digest}`, { body: Buffer.from('{}'), headers: { 'content-type': OciManifest } })
    },
  ],
  ['config-size-less', 'ERR_SIZE_MISMATCH', s => s.tag('1', image(s, { config: { size: 3 } }))],
  ['config-size-more', 'ERR_SIZE_MISMATCH', s => s.tag('1', image(s, { config: { size: 3000 } }))],
  ['layer-size-less', 'ERR_SIZE_MISMATCH', s => s.tag('1', image(s, { layer: { size: 3 } }))],
  ['layer-size-more', 'ERR_SIZE_MISMATCH', s => s.tag('1', image(s, { layer: { size: 3000 } }))],
  ['big-4mib-plus1', 'ERR_LIMIT_EXCEEDED', s => s.tag('1', s.add(Buffer.alloc(MIB4 + 1, ' '), OciManifest))],
  ['ct-mismatch-manifest-as-index', 'ERR_INVALID_MANIFEST', s => s.at('manifests/1', served(image(s), s, OciIndex))],
  [
    'ct-mismatch-index-as-manifest',
    'ERR_INVALID_MANIFEST',
    s =>
      s.at('manifests/1', { body: Buffer.from(JSON.stringify(index([]))), headers: { 'content-type': OciManifest } }),
  ],
  [
    'ct-html',
    'ERR_PROTOCOL',
    s => s.at('manifests/1', { body: Buffer.from('<p>'), headers: { 'content-type': 'text/html' } }),
  ],
  [
    'schema1',
    'ERR_UNSUPPORTED_MEDIA_TYPE',
    s => {
      const body = Buffer.from(JSON.stringify({ schemaVersion: 1, name: 'app', tag: '1', fsLayers: [], history: [] }))
      const type = 'application/vnd.docker.distribution.manifest.v1+prettyjws'
      s.at('manifests/1', { body, headers: { 'content-type': type } })
    },
  ],
  [
    'config-20mib',
    'ERR_LIMIT_EXCEEDED',
    s => s.tag('1', image(s, { configBody: Buffer.alloc(20 * 1024 * 1024, ' ') })),
  ],
  ['config-claims-1tib', 'ERR_LIMIT_EXCEEDED', s => s.tag('1', image(s, { config: { size: 2 ** 40 } }))],
  [
    'idx-depth-5',
    'ERR_INVALID_INDEX',
    s => {
      let root = image(s)
      for (let depth = 0; depth < 6; depth++) root = s.add(index([root]), OciIndex)
      s.tag('1', root)
    },
  ],
  [
    'idx-type-lie-manifest',
    'ERR_INVALID_MANIFEST',
    s => s.tag('1', s.add(index([{ ...s.add(index([]), OciIndex), mediaType: OciManifest }]), OciIndex)),
  ],
  [
    'idx-type-lie-index',
    'ERR_INVALID_MANIFEST',
    s => s.tag('1', s.add(index([{ ...image(s), mediaType: OciIndex }]), OciIndex)),
  ],
  ['idx-size-lie', 'ERR_SIZE_MISMATCH', s => s.tag('1', s.add(index([{ ...image(s), size: 5 }]), OciIndex))],
  [
    'layers-missing-blob',
    'ERR_REMOTE_BLOB_NOT_FOUND',
    s => s.tag('1', image(s, { layers: layer => [layer, { ...layer, digest: sampleDigest('missing') }] })),
  ],
  [
    'data-bad-base64',
    'ERR_INVALID_MANIFEST',
    s => s.tag('1', image(s, { layers: layer => [{ ...layer, data: 'e30' }] })),
  ],
  [
    'data-wrong-size',
    'ERR_INVALID_MANIFEST',
    s => s.tag('1', image(s, { layers: layer => [{ ...layer, data: 'e30=' }] })),
  ],
]

function served(descriptor: Described, documents: Served, type: string) {
  documents.tag('tmp', descriptor)
  return { ...documents.get('manifests/tmp')!, headers: { 'content-type': type } }
}

test.each(refusals)('%s is refused with %s, and gets no name', async (_, code, build) => {
  const documents = new ServedDocuments()
  build(documents)
  expect(await thrownBy(() => pull(documents))).toMatchObject({ code })
})

test('digest-mismatch: what a reference pins by digest has that digest', async () => {
  const documents = new ServedDocuments()
  image(documents)
  const digest = sampleDigest('pinned')
  documents.at(`manifests/${digest}`, { body: Buffer.from('{}'), headers: { 'content-type': OciManifest } })
  const error = await thrownBy(() => pull(documents, undefined, `app@${digest}`))
  expect(error).toMatchObject({ code: 'ERR_DIGEST_MISMATCH' })
})

test('idx-no-platform: none that fits is no image, and says what there is', async () => {
  const documents = new ServedDocuments()
  const only = { ...image(documents), platform: { os: 'plan9', architecture: 'mips' } }
  documents.tag(
    '1',
    documents.add(index([only, { ...only, platform: { os: 'plan9', architecture: 'arm' } }]), OciIndex),
  )
  await using registry = await documents.start()
  await using client = registryClientFor()
  await using store = createMemoryStore()
  const plan = () =>
    planPull(client, store, `${registry.host}/app:1`, { platform: { os: 'linux', architecture: 'amd64' } })
  const error = await thrownBy(plan)
  expect(error).toMatchObject({ code: 'ERR_PLATFORM_NOT_FOUND', message: expect.stringContaining('plan9/mips') })
})

const taken: [name: string, build: (served: Served) => void][] = [
  [
    'ok-4mib-exact',
    s => {
      const config = s.add(sampleConfig({ rootfs: { type: 'layers', diff_ids: [] } }), OciConfig)
      const start = Buffer.from(JSON.stringify(manifest({ config, layers: [] })))
      s.tag('1', s.add(Buffer.concat([start, Buffer.alloc(MIB4 - start.length, ' ')]), OciManifest))
    },
  ],
  ['ct-params', s => s.at('manifests/1', served(image(s), s, `${OciManifest}; charset=utf-8`))],
  ['ct-case', s => s.at('manifests/1', served(image(s), s, OciManifest.toUpperCase()))],
  ['ct-missing', s => s.at('manifests/1', { ...served(image(s), s, ''), headers: {} })],
  ['ct-generic-json', s => s.at('manifests/1', served(image(s), s, 'application/json'))],
  ['ct-generic-octets', s => s.at('manifests/1', served(image(s), s, 'application/octet-stream'))],
  [
    'idx-depth-4',
    s => {
      let root = image(s)
      for (let depth = 0; depth < 4; depth++) root = s.add(index([root]), OciIndex)
      s.tag('1', root)
    },
  ],
  ['idx-wide', s => s.tag('1', s.add(index(Array(5000).fill(image(s))), OciIndex))],
  ['idx-empty', s => s.tag('1', s.add(index([]), OciIndex))],
  [
    'ok-artifact-empty',
    s => {
      const empty = s.add(Buffer.from('{}'), MediaType.OciEmpty)
      s.tag('1', s.add(manifest({ artifactType: 'application/x', config: empty, layers: [empty] }), OciManifest))
    },
  ],
  [
    'ok-unknown-layer',
    s => s.tag('1', image(s, { layers: layer => [{ ...layer, mediaType: 'application/vnd.example.unknown' }] })),
  ],
  ['ok-unknown-config', s => s.tag('1', image(s, { config: { mediaType: 'application/vnd.example.config+json' } }))],
  [
    'data-mismatch',
    // `data` has the right size but other bytes: the pull ignores it, fetches the blob and verifies it.
    s => {
      const configBody = sampleConfig({ rootfs: { type: 'layers', diff_ids: [sampleDigest()] } })
      const data = Buffer.alloc(JSON.stringify(configBody).length, 'x').toString('base64')
      s.tag('1', image(s, { config: { data }, configBody }))
    },
  ],
]

test.each(taken)('%s is taken as it came, byte for byte', async (_, build) => {
  const documents = new ServedDocuments()
  build(documents)
  await pull(documents, async store => {
    for await (const { descriptor } of store.references.list()) {
      const bytes = await readAll(store.read(descriptor.digest))
      expect(bytes.equals(Buffer.from(documents.get('manifests/1')!.body))).toBe(true)
      return
    }
    expect.fail('it has got no name')
  })
})

test.each([
  ['foreign-urls', 'application/vnd.oci.image.layer.nondistributable.v1.tar+gzip'],
  ['urls-on-normal-layer', OciLayer],
])('%s: other addresses of a layer are not asked', async (_, mediaType) => {
  const documents = new ServedDocuments()
  await using elsewhere = await new ServedDocuments().start()
  const urls = [`http://${elsewhere.host}/layer`]
  documents.tag('1', image(documents, { layers: layer => [{ ...layer, mediaType, digest: sampleDigest('x'), urls }] }))
  await pull(documents).catch(error => expect(error).toMatchObject({ code: 'ERR_REMOTE_BLOB_NOT_FOUND' }))
  expect(elsewhere.seen).toEqual([])
})

test.each([
  ['diffid-count-less', { diff_ids: [] }],
  ['diffid-count-more', { diff_ids: [sampleDigest('a'), sampleDigest('b')] }],
])('%s: a config that does not go with its manifest is no image, and gets no name', async (_, members) => {
  const documents = new ServedDocuments()
  const configBody = sampleConfig({ rootfs: { type: 'layers', ...members } })
  documents.tag('1', image(documents, { configBody }))
  expect(await thrownBy(() => pull(documents))).toMatchObject({ code: 'ERR_INVALID_CONFIG' })
})

test('diffid-missing: a config that lists none may be that of something else, but is not read as that of an image', async () => {
  const documents = new ServedDocuments()
  documents.tag('1', image(documents, { configBody: sampleConfig({ rootfs: { type: 'layers' } }) }))
  await pull(documents, async store => {
    const names: string[] = []
    for await (const { name } of store.references.list()) names.push(name)
    expect(names).toHaveLength(1)
    expect(await thrownBy(() => readImage(store, names[0]!))).toMatchObject({ code: 'ERR_INVALID_CONFIG' })
  })
})

test('diffid-order, diffid-wrong: a layer that is not the one the config means is not unpacked', async () => {
  using directory = temporaryDirectory('diffid')
  const documents = new ServedDocuments()
  const configBody = sampleConfig({ rootfs: { type: 'layers', diff_ids: [sampleDigest('another layer')] } })
  documents.tag('1', image(documents, { configBody }))
  await pull(documents, async store => {
    for await (const { name } of store.references.list()) {
      const read = await readImage(store, name)
      const error = await thrownBy(() => unpackImage(store, read, `${directory.path}/root`))
      expect(error).toMatchObject({ code: 'ERR_DIFF_ID_MISMATCH' })
    }
  })
})

test('ok-artifact-empty, ok-unknown-*: what cannot be unpacked says so by type', async () => {
  const documents = new ServedDocuments()
  const empty = documents.add(Buffer.from('{}'), MediaType.OciEmpty)
  documents.tag('1', documents.add(manifest({ config: empty, layers: [empty] }), OciManifest))
  await pull(documents, async store => {
    for await (const { name } of store.references.list()) {
      expect(await thrownBy(() => readImage(store, name))).toMatchObject({ code: 'ERR_UNSUPPORTED_MEDIA_TYPE' })
    }
  })
})
