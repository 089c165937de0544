import { createHash } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { expect, test } from 'vitest'
import { type LoadArchiveOptions, loadArchive, openArchive } from '../../lib/archive/index.ts'
import { parseDigest } from '../../lib/digest/index.ts'
import { LayerStoreError } from '../../lib/errors/index.ts'
import { MediaType, type Platform } from '../../lib/oci/index.ts'
import { createMemoryStore, type Store } from '../../lib/store/index.ts'
import { sha256 } from '../helpers/push-image.ts'
import { type RawEntry, rawTar } from '../helpers/raw-tar.ts'
import { readAll } from '../helpers/read-all.ts'
import { temporaryDirectory } from '../helpers/temporary-directory.ts'

/* An archive has one meaning, whether it is read from a file, with random access, or from a stream. */

const NAME = 'org.opencontainers.image.ref.name'
const json = (value: unknown) => Buffer.from(JSON.stringify(value))
const blobPath = (digest: string) => `blobs/${digest.replace(':', '/')}`
const describe = (mediaType: string, bytes: Buffer) => ({ mediaType, digest: sha256(bytes), size: bytes.length })
const file = (path: string, content: Buffer | string): RawEntry => ({ path, content })

/** The parts of an image of one layer. */
function imageOf(text: string, members: { diffIds?: string[]; layers?: object[]; platform?: Platform } = {}) {
  const layer = rawTar([{ path: 'a', content: text }])
  const { diffIds = [sha256(layer)], platform = { os: 'linux', architecture: 'amd64' } } = members
  const config = json({ ...platform, rootfs: { type: 'layers', diff_ids: diffIds } })
  const { layers = [describe(MediaType.OciLayer, layer)] } = members
  const described = describe(MediaType.OciConfig, config)
  const manifest = json({ schemaVersion: 2, mediaType: MediaType.OciManifest, config: described, layers })
  const descriptor = { ...describe(MediaType.OciManifest, manifest), platform }
  return { layer, config, manifest, descriptor, blobs: [layer, config, manifest] }
}

/** The entries of a layout whose index has these names. */
function layoutOf(listed: readonly object[], blobs: readonly Buffer[]): RawEntry[] {
  return [
    file('oci-layout', '{"imageLayoutVersion":"1.0.0"}'),
    file('index.json', json({ schemaVersion: 2, manifests: listed })),
    ...blobs.map(bytes => file(blobPath(sha256(bytes)), bytes)),
  ]
}
const image = imageOf('x')
const named = { ...image.descriptor, annotations: { [NAME]: 'app:1' } }
const layout = layoutOf([named], image.blobs)
const pathOf = (bytes: Buffer) => blobPath(sha256(bytes))
const layerPath = pathOf(image.layer)
const without = (path: string) => layout.filter(entry => entry.path !== path)

type Source = 'file' | 'stream'

async function load(source: Source, tar: Buffer, options: LoadArchiveOptions, before: readonly Buffer[]) {
  using place = temporaryDirectory('answer')
  await using store = createMemoryStore()
  for (const bytes of before) await store.put(bytes)
  const path = join(place.path, 'archive.tar')
  writeFileSync(path, tar)
  try {
    const images = await loadArchive(store, source === 'file' ? path : [tar], options)
    if (images[0]?.descriptor.digest === image.descriptor.digest) await assertWhole(store)
    return { images: images.map(({ names, descriptor }) => [names, descriptor.digest]) }
  } catch (error) {
    if (!LayerStoreError.is(error)) throw error
    for await (const { name } of store.references.list()) expect.unreachable(`${name} was set`)
    return { code: error.code, message: error.message }
  }
}

async function assertWhole(store: Store): Promise<void> {
  for (const bytes of image.blobs) {
    expect(await readAll(store.read(parseDigest(sha256(bytes)), { verify: 'always' }))).toEqual(bytes)
  }
}

/** Loads an archive from a file and from a stream; the answers must be equal. */
async function answerTo(
  entries: readonly RawEntry[],
  { before = [], ...options }: LoadArchiveOptions & { before?: readonly Buffer[] } = {},
) {
  const tar = rawTar(entries)
  const [fromFile, fromStream] = [await load('file', tar, options, before), await load('stream', tar, options, before)]
  expect({ ...fromStream, message: '' }).toEqual({ ...fromFile, message: '' })
  return fromFile
}
const taken = { images: [[['app:1'], image.descriptor.digest]] }

test.each<[string, RawEntry[]]>([
  ['no more than it needs', layout],
  ['a wrong blob that nothing needs', [...layout, file(blobPath(sha256('other')), 'not the other')]],
  ['a wrong blob of another algorithm that nothing needs', [...layout, file(`blobs/sha512/${'0'.repeat(128)}`, 'x')]],
  ['a blob twice, first wrong, then right', [file(layerPath, 'wrong'), ...layout]],
  ['a blob twice, first right, then wrong', [...layout, file(layerPath, 'wrong')]],
  ['a manifest twice, first wrong, then right', [file(pathOf(image.manifest), '{}'), ...layout]],
  ['a config twice, first right, then wrong', [...layout, file(pathOf(image.config), '{}')]],
  ['a blob twice, wrong, right, wrong', [file(layerPath, 'a'), ...layout, file(layerPath, 'b')]],
  ['an upper-case name beside the right one', [...layout, file(layerPath.toUpperCase(), 'x')]],
  ['links that nothing needs', [...layout, { path: blobPath(sha256('other')), link: '/etc/passwd' }]],
  [
    'a blob that is a symbolic link inside the archive, to what comes later',
    [{ path: layerPath, link: '../../layers/1.tar' }, ...without(layerPath), file('layers/1.tar', image.layer)],
  ],
  [
    'a blob that is a hard link inside the archive',
    [file('layers/1.tar', image.layer), { path: layerPath, link: 'layers/1.tar', type: '1' }, ...without(layerPath)],
  ],
  [
    'a blob that is a link over a link to another blob',
    [
      { path: layerPath, link: '../one' },
      { path: 'blobs/one', link: 'sha512/two' },
      ...without(layerPath),
      file('blobs/sha512/two', image.layer),
    ],
  ],
])('an archive with %s is taken', async (_, entries) => {
  expect(await answerTo(entries)).toEqual(taken)
})

const SPARSE = { 'GNU.sparse.size': '2560', 'GNU.sparse.numblocks': '1', 'GNU.sparse.map': '512,1' }

test.each<[string, RawEntry[], string]>([
  [
    'a layer of another size than its manifest says',
    [...without(layerPath), file(layerPath, 'x')],
    'ERR_SIZE_MISMATCH',
  ],
  [
    'a layer that is not what its name says, in its size',
    [...without(layerPath), file(layerPath, Buffer.alloc(image.layer.length))],
    'ERR_DIGEST_MISMATCH',
  ],
  [
    'a manifest that is not what its name says',
    [...without(pathOf(image.manifest)), file(pathOf(image.manifest), ' '.repeat(image.manifest.length))],
    'ERR_DIGEST_MISMATCH',
  ],
  [
    'a config that is not what its name says, in its size',
    [...without(pathOf(image.config)), file(pathOf(image.config), ' '.repeat(image.config.length))],
    'ERR_DIGEST_MISMATCH',
  ],
  [
    'a layer twice, wrong both times, in its size',
    [
      ...without(layerPath),
      file(layerPath, Buffer.alloc(image.layer.length, 1)),
      file(layerPath, Buffer.alloc(image.layer.length, 2)),
    ],
    'ERR_DIGEST_MISMATCH',
  ],
  [
    'a blob under upper-case digits only',
    [...without(layerPath), file(`blobs/sha256/${layerPath.slice(-64).toUpperCase()}`, image.layer)],
    'ERR_BLOB_NOT_FOUND',
  ],
  ['a blob under another path only', [...without(layerPath), file('layer.tar', image.layer)], 'ERR_BLOB_NOT_FOUND'],
  [
    'a blob that links out of the archive',
    [...without(layerPath), { path: layerPath, link: '/x' }],
    'ERR_BLOB_NOT_FOUND',
  ],
  [
    'a blob that links to itself',
    [...without(layerPath), { path: layerPath, link: layerPath.slice(-64) }],
    'ERR_BLOB_NOT_FOUND',
  ],
  [
    'a link to a wrong file',
    [...without(layerPath), { path: layerPath, link: '../x' }, file('blobs/x', 'x')],
    'ERR_SIZE_MISMATCH',
  ],
  ['a sparse file', [...layout, { path: 's', content: 'x', pax: SPARSE }], 'ERR_INVALID_LAYOUT'],
])('an archive with %s is refused', async (_, entries, code) => {
  expect(await answerTo(entries)).toMatchObject({ code })
})

test('a blob that the archive omits, or has with wrong bytes, may be in the store', async () => {
  const before = [image.layer, image.config]
  expect(await answerTo(without(layerPath), { before })).toEqual(taken)
  expect(await answerTo([...without(layerPath), file(layerPath, 'wrong')], { before })).toEqual(taken)
})

test('a blob may have a name of another algorithm, and be a link to its file', async () => {
  const digest = `sha512:${createHash('sha512').update(image.layer).digest('hex')}`
  const layers = [{ ...describe(MediaType.OciLayer, image.layer), digest }]
  const other = imageOf('x', { layers })
  const entries = layoutOf([{ ...other.descriptor, annotations: { [NAME]: 'app:1' } }], [other.manifest, other.config])
  const link = { path: blobPath(digest), link: '../../layer.tar' }
  const answer = await answerTo([...entries, link, file('layer.tar', image.layer)])
  expect(answer).toMatchObject({ images: [[['app:1'], other.descriptor.digest]] })
  expect(await answerTo([...entries, link, file('layer.tar', 'wrong')])).toMatchObject({ code: 'ERR_SIZE_MISMATCH' })
})

test('a wrong blob of a platform that is not requested does not matter', async () => {
  const arm = imageOf('arm', { platform: { os: 'linux', architecture: 'arm64' } })
  const index = json({ schemaVersion: 2, mediaType: MediaType.OciIndex, manifests: [image.descriptor, arm.descriptor] })
  const listed = { ...describe(MediaType.OciIndex, index), annotations: { [NAME]: 'app:1' } }
  const entries = [
    ...layoutOf([listed], [...image.blobs, arm.manifest, arm.config, index]),
    file(pathOf(arm.layer), 'wrong'),
  ]
  const platform = { os: 'linux', architecture: 'amd64' }
  expect(await answerTo(entries, { platform })).toEqual(taken)
  expect(await answerTo(entries)).toMatchObject({ code: 'ERR_SIZE_MISMATCH' })
})

test.each<[string, RawEntry[]]>([
  ['a layout', layoutOf([], [])],
  ['docker', [file('manifest.json', '[]')]],
])('the list of images of %s may be empty, and loading it says so', async (_, entries) => {
  expect(await answerTo(entries)).toMatchObject({
    code: 'ERR_INVALID_LAYOUT',
    message: expect.stringContaining('list of images is empty'),
  })
})

test('a document that is neither manifest nor index gets no name', async () => {
  const blob = Buffer.from('{"schemaVersion":1}')
  const listed = {
    ...describe('application/vnd.docker.distribution.manifest.v1+json', blob),
    annotations: { [NAME]: 'old:1' },
  }
  expect(await answerTo(layoutOf([listed], [blob]))).toMatchObject({ code: 'ERR_UNSUPPORTED_MEDIA_TYPE' })
})

test('an image whose config and manifest list different numbers of layers is rejected', async () => {
  for (const bad of [
    imageOf('x', { layers: [] }),
    imageOf('x', { diffIds: [] }),
    imageOf('x', { diffIds: [sha256('a'), sha256('b')] }),
  ]) {
    const listed = { ...bad.descriptor, annotations: { [NAME]: 'bad:1' } }
    expect(await answerTo(layoutOf([listed], bad.blobs))).toMatchObject({ code: 'ERR_INVALID_CONFIG' })
  }
})

/** docker 25.0.0 saved such images: a manifest without layers beside a list that has them (moby#47065). */
const bad = imageOf('x', { layers: [] })
const docker25 = [
  ...layoutOf([{ ...bad.descriptor, annotations: { [NAME]: 'app:1' } }], bad.blobs),
  file('manifest.json', json([{ Config: pathOf(bad.config), RepoTags: ['app:1'], Layers: [layerPath] }])),
]

test('the manifest.json of docker 25.0.0 is followed on request; the error of the default names the option', async () => {
  const refused = await answerTo(docker25)
  expect(refused).toMatchObject({ code: 'ERR_INVALID_CONFIG', message: expect.stringContaining('docker-archive:FILE') })
  expect(await answerTo(docker25, { format: 'oci' })).toEqual({ ...refused, message: expect.any(String) })
  const { images = [] } = (await answerTo(docker25, { format: 'docker' })) as { images?: unknown[][] }
  expect(images).toMatchObject([[['app:1'], expect.stringMatching(/^sha256:/)]])
  using place = temporaryDirectory('docker25')
  const path = join(place.path, 'saved.tar')
  writeFileSync(path, rawTar(docker25))
  await using archive = await openArchive(path, { format: 'docker' })
  expect(archive.images.map(({ descriptor }) => descriptor.digest)).toEqual([images[0]![1]])
  expect(await archive.stat(parseDigest(sha256(image.layer)))).toBeDefined()
})

test('a file in the list of docker with the path of a blob must have its digest', async () => {
  const list = (Config: string, Layers: string[]) =>
    file('manifest.json', json([{ Config, RepoTags: ['app:1'], Layers }]))
  const files = [file(pathOf(image.config), image.config), file(layerPath, image.layer)]
  const good = await answerTo([...files, list(pathOf(image.config), [layerPath])])
  expect(good).toMatchObject({ images: [[['app:1'], expect.anything()]] })
  const lie = blobPath(sha256('something else'))
  const zipped = blobPath(sha256('another'))
  for (const entries of [
    [file(lie, image.config), file(layerPath, image.layer), list(lie, [layerPath])],
    [
      file(pathOf(image.config), image.config),
      file(zipped, gzipSync(image.layer)),
      list(pathOf(image.config), [zipped]),
    ],
  ]) {
    expect(await answerTo(entries)).toMatchObject({ code: 'ERR_DIGEST_MISMATCH' })
  }
})

test('a config of docker may have any path, also that of the oldest docker format', async () => {
  const list = file('manifest.json', json([{ Config: 'abc/json', RepoTags: ['app:1'], Layers: ['abc/layer.tar'] }]))
  const entries = [file('abc/json', image.config), file('abc/layer.tar', image.layer), list]
  expect(await answerTo(entries)).toMatchObject({ images: [[['app:1'], expect.anything()]] })
})
