import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import zlib, { gunzipSync, gzipSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { compress, decompress } from '../../lib/compression/index.ts'
import { cut } from '../helpers/cut.ts'
import { mixedBytes } from '../helpers/mixed-bytes.ts'
import { needs } from '../helpers/needs.ts'
import { needsProgram } from '../helpers/needs-program.ts'
import { readAll } from '../helpers/read-all.ts'
import { thrownBy } from '../helpers/thrown-by.ts'
import { watchedSource } from '../helpers/watched-source.ts'

const MIB = 1024 * 1024
const hasZstd = 'zstdCompress' in zlib
const gzip = (source: Parameters<typeof compress>[0], options = {}) =>
  readAll(compress(source, { type: 'gzip', ...options }))

describe('gzip', () => {
  test.each([0, 1, 32 * 1024, MIB - 1, MIB, MIB + 1, 2 * MIB, 3 * MIB + 77])(
    '%i bytes come back whole, from zlib and from us',
    async size => {
      const bytes = mixedBytes(size)
      const packed = await gzip(bytes)
      expect(gunzipSync(packed).equals(bytes)).toBe(true)
      expect((await readAll(decompress(packed))).equals(bytes)).toBe(true)
    },
  )

  test.skipIf(!needsProgram('gzip'))('gzip -t accepts one member of many blocks', async () => {
    const packed = await gzip(mixedBytes(5 * MIB + 3))
    execFileSync('gzip', ['-t'], { input: packed })
    const listed = execFileSync('gzip', ['-dc'], { input: packed, maxBuffer: 16 * MIB })
    expect(listed.equals(mixedBytes(5 * MIB + 3))).toBe(true)
  })

  test('the header says nothing of time, level or operating system', async () => {
    for (const level of [1, 6, 9]) {
      expect((await gzip(Buffer.from('x'), { level })).subarray(0, 10).toString('hex')).toBe('1f8b08000000000000ff')
    }
  })

  test('the bytes do not depend on how the input is cut nor on how many blocks are compressed at once', async () => {
    const bytes = mixedBytes(4 * MIB + 12345)
    const expected = await gzip(bytes, { concurrency: 1 })
    for (const concurrency of [1, 2, 7]) {
      for (const size of [1000, 65536, MIB, 3 * MIB]) {
        expect((await gzip(cut(bytes, size), { concurrency })).equals(expected)).toBe(true)
      }
    }
  })

  test('the dictionary between blocks is used: a repetition across a block border costs nearly nothing', async () => {
    const pieces = Array.from({ length: 256 }, (_, i) => createHash('sha512').update(`${i}`).digest())
    const noise = Buffer.concat(pieces)
    const once = Buffer.concat([Buffer.alloc(MIB - noise.byteLength), noise])
    const [single, double] = await Promise.all([gzip(once), gzip(Buffer.concat([once, noise]))])
    expect(double.byteLength - single.byteLength).toBeLessThan(1024)
  })

  test('a source may reuse its buffer', async () => {
    const bytes = mixedBytes(3 * MIB)
    const buffer = Buffer.alloc(100_000)
    const reusing = (function* () {
      for (let at = 0; at < bytes.byteLength; at += buffer.byteLength) {
        yield buffer.subarray(0, bytes.copy(buffer, 0, at))
      }
    })()
    expect(gunzipSync(await gzip(reusing)).equals(bytes)).toBe(true)
  })

  test.each([
    ['a script', 'node_modules/typescript/lib/typescript.js'],
    ['a program', process.execPath],
  ])('%s at level 6 is at most one per cent larger than what createGzip makes of it', async (_, file) => {
    // From all over it: a part of one kind may cost more, up to 2.3 %, as the whole does not.
    const all = readFileSync(file)
    const pieces = Array.from({ length: 16 }, (_, i) => Math.floor((i * all.byteLength) / 16))
    const bytes = Buffer.concat(pieces.map(at => all.subarray(at, at + MIB)))
    const theirs = gzipSync(bytes, { level: 6 }).byteLength
    expect((await gzip(bytes, { level: 6 })).byteLength / theirs).toBeLessThan(1.01)
  })

  test('level 0 stores and level 9 packs more tightly than level 1', async () => {
    const bytes = mixedBytes(2 * MIB)
    const [stored, fast, best] = await Promise.all([0, 1, 9].map(level => gzip(bytes, { level })))
    expect(stored!.byteLength).toBeGreaterThan(bytes.byteLength)
    expect(gunzipSync(stored!).equals(bytes)).toBe(true)
    expect(best!.byteLength).toBeLessThan(fast!.byteLength)
  })
})

describe('zstd', () => {
  test.runIf(needs(!hasZstd, 'needs a Node that cannot write zstd'))(
    'is refused where the platform cannot write it, saying what is needed',
    async () => {
      const error = await thrownBy(() => readAll(compress(Buffer.from('x'), { type: 'zstd' })))
      expect(error).toMatchObject({ code: 'ERR_UNSUPPORTED_COMPRESSION' })
      expect(error.message).toContain('22.15')
    },
  )

  test.runIf(needs(hasZstd, 'needs a Node that writes zstd'))(
    'bytes come back whole, whatever the input is cut into',
    async () => {
      for (const size of [0, 1, 4 * MIB, 9 * MIB + 1]) {
        const bytes = mixedBytes(size)
        const packed = await readAll(compress(bytes, { type: 'zstd' }))
        expect((await readAll(decompress(packed))).equals(bytes)).toBe(true)
        const again = await readAll(compress(cut(bytes, 99_999), { type: 'zstd', concurrency: 1 }))
        expect(again.equals(packed)).toBe(true)
        if (needsProgram('zstd')) {
          const opened = execFileSync('zstd', ['-dc'], { input: packed, maxBuffer: 64 * MIB })
          expect(opened.equals(bytes)).toBe(true)
        }
      }
    },
  )
})

test('none passes the bytes through', async () => {
  expect(await readAll(compress(cut(Buffer.from('abcdef'), 4), { type: 'none' }))).toEqual(Buffer.from('abcdef'))
})

test.each([
  { type: 'gzip', level: 10 },
  { type: 'gzip', level: -1 },
  { type: 'gzip', level: 1.5 },
  { type: 'gzip', concurrency: 0 },
  { type: 'gzip', concurrency: Number.NaN },
] as const)('%j is refused', async options => {
  expect(await thrownBy(() => readAll(compress(Buffer.from('x'), options)))).toMatchObject({
    code: 'ERR_INVALID_ARGUMENT',
  })
})

test('a type that cannot be written is refused', async () => {
  expect(await thrownBy(() => readAll(compress(Buffer.from('x'), { type: 'xz' as never })))).toMatchObject({
    code: 'ERR_UNSUPPORTED_COMPRESSION',
  })
})

test('blocks are only taken as far as they are worked on', async () => {
  const blocks = Array.from({ length: 50 }, () => Buffer.alloc(MIB))
  const { source, state } = watchedSource(blocks)
  let seen = 0
  for await (const _ of compress(source, { type: 'gzip', concurrency: 2 })) if (++seen === 3) break
  expect(state.taken).toBeLessThan(10)
  expect(state.returned).toBe(true)
})

test('an error of the source reaches the caller unchanged', async () => {
  const fault = new Error('fault')
  const failing = (async function* () {
    yield mixedBytes(3 * MIB)
    throw fault
  })()
  expect(await thrownBy(() => gzip(failing))).toBe(fault)
})

test.each(['gzip', 'none'] as const)('%s: an abort ends a silent source with the reason', async type => {
  const controller = new AbortController()
  const { source, state } = watchedSource([mixedBytes(3 * MIB)], { silent: true })
  const reason = { why: 'enough' }
  setTimeout(() => controller.abort(reason), 50)
  const error = await thrownBy(() => readAll(compress(source, { type, signal: controller.signal })))
  expect(error).toBe(reason)
  expect(state.returned).toBe(true)
})
