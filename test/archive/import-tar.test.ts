import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync, gzipSync } from 'node:zlib'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { importTar } from '../../lib/archive/index.ts'
import { openStore } from '../../lib/disk-store/index.ts'
import { readImage } from '../../lib/image/index.ts'
import { openUnionView } from '../../lib/rootfs/index.ts'
import { createMemoryStore, layerFact, type Store } from '../../lib/store/index.ts'
import { blobsOf } from '../helpers/blobs-of.ts'
import { cut } from '../helpers/cut.ts'
import { sha256 } from '../helpers/push-image.ts'
import { rawTar } from '../helpers/raw-tar.ts'
import { readAll } from '../helpers/read-all.ts'
import { temporaryDirectory } from '../helpers/temporary-directory.ts'
import { thrownBy } from '../helpers/thrown-by.ts'

let place: ReturnType<typeof temporaryDirectory>
let store: Store
beforeEach(() => {
  place = temporaryDirectory('import')
  store = createMemoryStore()
})
afterEach(async () => {
  await store.close()
  place[Symbol.dispose]()
})
const tar = rawTar([{ path: 'etc/' }, { path: 'etc/conf', content: 'a = 1', uid: 7, mtime: 99 }])

test('a plain tar is compressed, and its content stays byte for byte', async () => {
  const image = await importTar(store, cut(tar, 700), {
    config: { Cmd: ['/x'] },
    platform: { os: 'linux', architecture: 'arm64' },
    author: 'me',
  })
  const [layer] = image.layers
  expect(layer).toMatchObject({
    diffId: sha256(tar),
    descriptor: { mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip' },
  })
  expect(gunzipSync(await readAll(store.read(layer!.descriptor.digest)))).toEqual(tar)
  expect(image.config).toMatchObject({
    architecture: 'arm64',
    author: 'me',
    config: { Cmd: ['/x'] },
    history: [{ created: '1970-01-01T00:00:00Z', created_by: 'layerstore import' }],
  })
  expect(await layerFact(store, layer!.descriptor.digest)).toMatchObject({ diffId: sha256(tar), proven: true })
  const view = await openUnionView(store, image.descriptor, { platform: { os: 'linux', architecture: 'arm64' } })
  expect(view.stat('etc/conf')).toMatchObject({ uid: 7, mtime: 99 })
})

test('a compressed tar is kept byte for byte, from a file and from a stream, with the same image', async () => {
  const packed = gzipSync(tar, { level: 1 })
  const path = join(place.path, 'root.tar.gz')
  writeFileSync(path, packed)
  const fromFile = await importTar(store, path)
  expect(fromFile.layers).toMatchObject([{ diffId: sha256(tar), descriptor: { digest: sha256(packed) } }])
  expect(await importTar(store, cut(packed, 7))).toEqual(fromFile)
  expect((await readImage(store, fromFile.descriptor)).layers).toHaveLength(1)
})

test('a tar stays uncompressed on request', async () => {
  const image = await importTar(store, [tar], { compression: 'none' })
  expect(image.layers).toMatchObject([
    { descriptor: { digest: sha256(tar), mediaType: 'application/vnd.oci.image.layer.v1.tar' } },
  ])
})

test.each([
  ['no tar', Buffer.from('x'.repeat(2000)), 'ERR_INVALID_TAR'],
  ['no tar in gzip', gzipSync(Buffer.from('x'.repeat(2000))), 'ERR_INVALID_TAR'],
  ['half a tar', tar.subarray(0, 1100), 'ERR_INVALID_TAR'],
  ['half a gzip', gzipSync(tar).subarray(0, 100), 'ERR_INVALID_COMPRESSION'],
  ['a way out', gzipSync(rawTar([{ path: '../x' }])), 'ERR_INVALID_TAR'],
  ['xz', Buffer.from('fd377a585a0000000000', 'hex'), 'ERR_UNSUPPORTED_COMPRESSION'],
])('nothing is stored of %s', async (_, bytes, code) => {
  await using disk = await openStore(join(place.path, 'store'))
  for (const into of [store, disk]) {
    expect(await thrownBy(() => importTar(into, [bytes]))).toMatchObject({ code })
    expect(await blobsOf(into)).toEqual([])
  }
})

test('an aborted import stores nothing, and limits apply', async () => {
  const signal = AbortSignal.abort(new Error('enough'))
  expect(await thrownBy(() => importTar(store, [tar], { signal }))).toBe(signal.reason)
  for (const bytes of [tar, gzipSync(tar)]) {
    expect(await thrownBy(() => importTar(store, [bytes], { maxBytes: 1000 }))).toMatchObject({
      code: 'ERR_LIMIT_EXCEEDED',
    })
  }
  expect(await thrownBy(() => importTar(store, join(place.path, 'none.tar')))).toMatchObject({
    code: 'ERR_SOURCE_NOT_FOUND',
    path: join(place.path, 'none.tar'),
  })
  expect(await blobsOf(store)).toEqual([])
})
