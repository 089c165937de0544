import { gzipSync } from 'node:zlib'
import { expect, test } from 'vitest'
import { decompress } from '../../lib/compression/index.ts'
import { cut } from '../helpers/cut.ts'
import { mixedBytes } from '../helpers/mixed-bytes.ts'
import { readAll } from '../helpers/read-all.ts'
import { settle } from '../helpers/settle.ts'
import { thrownBy } from '../helpers/thrown-by.ts'
import { watchedSource } from '../helpers/watched-source.ts'

const MIB = 1024 * 1024
const bytes = mixedBytes(3 * MIB + 5)
const gzipped = gzipSync(bytes)

test.each([1, 7, 65536, 10 * MIB])('gzip cut into chunks of %i bytes comes back whole', async size => {
  const [plain, packed] = size < 100 ? [bytes.subarray(0, 5000), gzipSync(bytes.subarray(0, 5000))] : [bytes, gzipped]
  expect((await readAll(decompress(cut(packed, size)))).equals(plain)).toBe(true)
  expect((await readAll(decompress(cut(packed, size), { type: 'gzip' }))).equals(plain)).toBe(true)
})

test.each([1, 13, 4096])('several gzip members in a row are one stream, cut at %i', async size => {
  const members = [gzipSync('one '), gzipSync(''), gzipSync('two '), gzipSync('three')]
  expect((await readAll(decompress(cut(Buffer.concat(members), size)))).toString()).toBe('one two three')
})

test.each([1, 20, 4096])('zeros after the last member are padding, cut at %i', async size => {
  const padded = Buffer.concat([gzipSync('one'), Buffer.alloc(1000)])
  expect((await readAll(decompress(cut(padded, size)))).toString()).toBe('one')
})

test.each([1, 20, 500, 4096])('bytes after such zeros are refused, wherever they come, cut at %i', async size => {
  const surplus = Buffer.concat([gzipSync('one'), Buffer.alloc(1000), Buffer.from('x')])
  expect(await thrownBy(() => readAll(decompress(cut(surplus, size))))).toMatchObject({
    code: 'ERR_INVALID_COMPRESSION',
  })
})

test.each([1000, 100_000, 2 * MIB])('a source may reuse its buffer of %i bytes', async size => {
  const buffer = Buffer.alloc(size)
  const reusing = (function* () {
    for (let at = 0; at < gzipped.byteLength; at += size) {
      yield buffer.subarray(0, gzipped.copy(buffer, 0, at))
      buffer.fill(0xff)
    }
  })()
  expect((await readAll(decompress(reusing))).equals(bytes)).toBe(true)
})

test('bytes that are not compressed pass, an empty stream too', async () => {
  expect((await readAll(decompress(Buffer.from('plain')))).toString()).toBe('plain')
  expect((await readAll(decompress([Buffer.from('pl'), Buffer.from('ain')], { type: 'none' }))).toString()).toBe(
    'plain',
  )
  expect(await readAll(decompress([]))).toHaveLength(0)
})

test.each([
  ['bzip2', '425a683931415926'],
  ['xz', 'fd377a585a000004'],
])('%s is refused by name', async (type, hex) => {
  const { source, state } = watchedSource([Buffer.from(hex, 'hex')])
  const error = await thrownBy(() => readAll(decompress(source)))
  expect(error).toMatchObject({ code: 'ERR_UNSUPPORTED_COMPRESSION' })
  expect(error.message).toContain(type)
  expect(state.returned).toBe(true)
})

test('leaving early stops the source', async () => {
  const { source, state } = watchedSource(Array.from({ length: 100 }, () => gzipped))
  for await (const _ of decompress(source)) break
  expect(state.returned).toBe(true)
  expect(state.taken).toBeLessThan(5)
})

test('leaving before the first byte stops the source, too', async () => {
  const { source, state } = watchedSource([gzipped])
  const opened = decompress(source)
  await opened.return()
  expect(state.taken).toBe(0)
})

test('a slow reader holds the source back', async () => {
  const { source, state } = watchedSource(Array.from({ length: 100 }, () => gzipped))
  const opened = decompress(source)
  await opened.next()
  await settle()
  expect(state.taken).toBeLessThan(3)
  await opened.return()
})

test('the next chunk is fetched while one is opened, and no more than that', async () => {
  const long = gzipSync(Buffer.alloc(20 * MIB))
  const { source, state } = watchedSource(Array.from({ length: 10 }, () => long))
  const opened = decompress(source)
  await opened.next()
  await expect.poll(() => state.taken).toBe(2)
  await settle()
  expect(state.taken).toBe(2)
  await opened.return()
  expect(state.returned).toBe(true)
})

test('bytes before a failure of the source are decompressed, even if the source fails meanwhile', async () => {
  const failing = (async function* () {
    yield gzipSync(Buffer.alloc(20 * MIB))
    throw new Error('fault')
  })()
  let opened = 0
  const read = async () => {
    for await (const piece of decompress(failing)) opened += piece.byteLength
  }
  expect((await thrownBy(read)).message).toBe('fault')
  // Output that the reader has not taken when the engine stops is dropped.
  expect(opened).toBeGreaterThan(17 * MIB)
})

test('an abort ends a silent source with the reason', async () => {
  const controller = new AbortController()
  const { source } = watchedSource([gzipped.subarray(0, 100_000)], { silent: true })
  setTimeout(() => controller.abort(null), 50)
  expect(await thrownBy(() => readAll(decompress(source, { signal: controller.signal })))).toBe(null)
})

test('an abort between two chunks ends the stream with the reason', async () => {
  const controller = new AbortController()
  const reason = new Error('enough')
  const read = async () => {
    for await (const _ of decompress(gzipped, { signal: controller.signal })) controller.abort(reason)
  }
  expect(await thrownBy(read)).toBe(reason)
})

test('an error of the source reaches the caller unchanged', async () => {
  const fault = new Error('fault')
  const failing = (async function* () {
    yield gzipped.subarray(0, 1000)
    throw fault
  })()
  expect(await thrownBy(() => readAll(decompress(failing)))).toBe(fault)
})

test('maxBytes is what may come out', async () => {
  expect(await readAll(decompress(gzipped, { maxBytes: bytes.byteLength }))).toHaveLength(bytes.byteLength)
  expect(await thrownBy(() => readAll(decompress(gzipped, { maxBytes: bytes.byteLength - 1 })))).toMatchObject({
    code: 'ERR_LIMIT_EXCEEDED',
    limit: bytes.byteLength - 1,
  })
  expect(await thrownBy(() => readAll(decompress(bytes, { type: 'none', maxBytes: 10 })))).toMatchObject({
    code: 'ERR_LIMIT_EXCEEDED',
  })
})
