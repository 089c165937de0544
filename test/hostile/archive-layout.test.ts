import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { loadArchive, openArchive, writeArchive } from '../../lib/archive/index.ts'
import { parseDigest } from '../../lib/digest/index.ts'
import { createMemoryStore, type Store } from '../../lib/store/index.ts'
import { rawEntriesOf } from '../helpers/docker-archive.ts'
import { sha256 } from '../helpers/push-image.ts'
import { type RawEntry, rawTar } from '../helpers/raw-tar.ts'
import { readAll } from '../helpers/read-all.ts'
import { refusedArchive } from '../helpers/refused-archive.ts'
import { sampleImage } from '../helpers/sample-image.ts'
import { temporaryDirectory } from '../helpers/temporary-directory.ts'
import { thrownBy } from '../helpers/thrown-by.ts'

let store: Store
let entries: RawEntry[]
let manifest: RawEntry
let layer: RawEntry
let config: RawEntry
beforeAll(async () => {
  store = createMemoryStore()
  const image = await sampleImage(store, [{ a: 'x'.repeat(5000) }], { name: 'app:1' })
  entries = await rawEntriesOf(await readAll(writeArchive(store, 'app:1', { format: 'oci' })))
  const find = (digest: string) => entries.find(({ path }) => `${path}`.endsWith(digest.slice(7)))!
  manifest = find(image.descriptor.digest)
  config = find(image.manifest.config.digest)
  layer = find(image.manifest.layers[0]!.digest)
})
afterAll(() => store.close())

const digestOfPath = ({ path }: RawEntry) => parseDigest(`sha256:${`${path}`.slice(-64)}`)
const instead = (old: string | RawEntry, ...by: RawEntry[]) =>
  rawTar(entries.flatMap(entry => (entry === old || entry.path === old ? by : [entry])))
const withLayout = (content: string) => instead('oci-layout', { path: 'oci-layout', content })
const withIndex = (content: string | Buffer) => instead('index.json', { path: 'index.json', content })
const index = () => JSON.parse(`${entries.find(({ path }) => path === 'index.json')!.content}`)
const withEntry = (members: object) =>
  withIndex(JSON.stringify({ ...index(), manifests: [{ ...index().manifests[0], ...members }] }))
const flipped = ({ path, content }: RawEntry) => {
  const bytes = Buffer.from(content!)
  bytes[bytes.length >> 1]! ^= 1
  return { path, content: bytes }
}

test.each<[string, () => Buffer, string]>([
  ['oa-layout-missing', () => instead('oci-layout'), 'ERR_INVALID_LAYOUT'],
  ['oa-layout-version', () => withLayout('{"imageLayoutVersion":"2.0.0"}'), 'ERR_INVALID_LAYOUT'],
  ['oa-layout-null', () => withLayout('null'), 'ERR_INVALID_LAYOUT'],
  ['oa-layout-bom', () => withLayout('\ufeff{"imageLayoutVersion":"1.0.0"}'), 'ERR_INVALID_LAYOUT'],
  ['oa-layout-huge', () => withLayout(`{"imageLayoutVersion":"1.0.0"}${' '.repeat(5000)}`), 'ERR_LIMIT_EXCEEDED'],
  ['oa-layout-link', () => instead('oci-layout', { path: 'oci-layout', link: 'x' }), 'ERR_INVALID_LAYOUT'],
  ['oa-dup-layout', () => rawTar([...entries, entries[0]!]), 'ERR_INVALID_LAYOUT'],
  ['oa-index-missing', () => instead('index.json'), 'ERR_INVALID_LAYOUT'],
  ['oa-index-symlink', () => instead('index.json', { path: 'index.json', link: '/etc/passwd' }), 'ERR_INVALID_LAYOUT'],
  ['oa-dup-index', () => rawTar([...entries, entries[1]!]), 'ERR_INVALID_LAYOUT'],
  ['oa-index-null', () => withIndex('null'), 'ERR_INVALID_INDEX'],
  ['oa-index-5mib', () => withIndex(Buffer.alloc(5 * 1024 * 1024, 0x20)), 'ERR_LIMIT_EXCEEDED'],
  ['oa-index-dup-key', () => withIndex('{"schemaVersion":2,"manifests":[],"manifests":[]}'), 'ERR_INVALID_INDEX'],
  ['oa-index-digest-path', () => withEntry({ digest: 'sha256:../../../etc/passwd' }), 'ERR_INVALID_INDEX'],
  ['oa-index-size', () => withEntry({ size: 1 }), 'ERR_SIZE_MISMATCH'],
  ['oa-index-size-1tib', () => withEntry({ size: 2 ** 40 }), 'ERR_SIZE_MISMATCH'],
  [
    'oa-index-wrong-type',
    () => withEntry({ mediaType: 'application/vnd.oci.image.index.v1+json' }),
    'ERR_INVALID_MANIFEST',
  ],
  ['oa-index-to-nothing', () => withEntry({ digest: sha256('none') }), 'ERR_BLOB_NOT_FOUND'],
  ['oa-blob-missing', () => instead(layer), 'ERR_BLOB_NOT_FOUND'],
  ['oa-blob-symlink', () => instead(layer, { path: layer.path, link: '/etc/passwd' }), 'ERR_BLOB_NOT_FOUND'],
  ['oa-blob-device', () => instead(layer, { path: layer.path, type: '4' }), 'ERR_BLOB_NOT_FOUND'],
])('%s is refused', async (_, tar, code) => {
  expect(await refusedArchive(tar())).toEqual([code, code, code])
})

test('oa-*-flip, oa-blob-append: one wrong bit or byte in any blob is found', async () => {
  for (const blob of [manifest, config, layer]) {
    const [opened, file, stream] = await refusedArchive(instead(blob, flipped(blob)))
    expect(opened).toBe('ERR_BLOB_CORRUPT')
    expect(file).toMatch(/^ERR_(BLOB_CORRUPT|DIGEST_MISMATCH)$/)
    expect(stream).toBe('ERR_DIGEST_MISMATCH')
    for (const content of [`${blob.content} `, ` ${blob.content}`]) {
      for (const code of await refusedArchive(instead(blob, { path: blob.path, content: Buffer.from(content) }))) {
        expect(code).toMatch(/^ERR_(SIZE|DIGEST)_MISMATCH$/)
      }
    }
  }
})

test('oa-blob-dup: of two blobs with one name the digest decides', async () => {
  using place = temporaryDirectory('archive')
  const right = await readAll(store.read(digestOfPath(layer)))
  for (const blobs of [
    [layer, flipped(layer)],
    [flipped(layer), layer],
    [layer, layer],
  ]) {
    const tar = instead(layer, ...blobs)
    writeFileSync(join(place.path, 'a.tar'), tar)
    for (const source of [join(place.path, 'a.tar'), [tar]]) {
      await using into = createMemoryStore()
      try {
        await loadArchive(into, source)
        expect(await readAll(into.read(digestOfPath(layer)))).toEqual(right)
      } catch (error) {
        expect(error).toMatchObject({ code: 'ERR_DIGEST_MISMATCH' })
        expect(await into.references.get('app:1')).toBeUndefined()
      }
    }
  }
})

test('oa-blob-upper-case: a blob is found under its own name only, in a file and in a stream', async () => {
  const other = instead(layer, { ...layer, path: `${layer.path}`.toUpperCase() })
  using place = temporaryDirectory('archive')
  writeFileSync(join(place.path, 'a.tar'), other)
  const open = () => openArchive(join(place.path, 'a.tar'))
  expect(await thrownBy(open)).toMatchObject({ code: 'ERR_BLOB_NOT_FOUND' })
  for (const source of [join(place.path, 'a.tar'), [other]]) {
    await using into = createMemoryStore()
    expect(await thrownBy(() => loadArchive(into, source))).toMatchObject({ code: 'ERR_BLOB_NOT_FOUND' })
  }
})

test('oa-lying-beside: a list of docker beside a layout has no say', async () => {
  const list = { path: 'manifest.json', content: '[{"Config":"../../etc/passwd"}]' }
  await expect(refusedArchive(rawTar([list, ...entries]))).rejects.toThrow('nothing was thrown')
})

test('oa-bomb: an archive that grows more than a thousandfold is refused', async () => {
  const bomb = rawTar([{ path: 'x', content: Buffer.alloc(80 * 1024 * 1024) }])
  await using into = createMemoryStore()
  expect(await thrownBy(() => loadArchive(into, [gzipSync(bomb)]))).toMatchObject({ code: 'ERR_LIMIT_EXCEEDED' })
  for await (const _ of into.list()) expect.unreachable()
})
