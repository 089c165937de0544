import { gunzipSync } from 'node:zlib'
import { expect, test } from 'vitest'
import { compress, decompress } from '../../lib/compression/index.ts'
import { cut } from '../helpers/cut.ts'
import fc, { cases } from '../helpers/fast-check.ts'
import { readAll } from '../helpers/read-all.ts'

const MIB = 1024 * 1024
/** Streams whose lengths are close to multiples of a block. */
const bytes = fc
  .tuple(
    fc.constantFrom(0, 1, 32 * 1024, MIB, 2 * MIB),
    fc.integer({ min: -3, max: 3 }),
    fc.uint8Array({ minLength: 1 }),
  )
  .map(([base, offset, pattern]) => Buffer.alloc(Math.max(0, base + offset), Buffer.from(pattern)))

test('gzip: whatever goes in comes out, from zlib and from us, and cutting and concurrency change nothing', async () => {
  await fc.assert(
    fc.asyncProperty(
      bytes,
      fc.integer({ min: 500, max: 3 * MIB }),
      fc.integer({ min: 1, max: 5 }),
      fc.integer({ min: 0, max: 9 }),
      async (input, size, concurrency, level) => {
        const packed = await readAll(compress(cut(input, size), { type: 'gzip', level, concurrency }))
        expect(packed.equals(await readAll(compress(input, { type: 'gzip', level })))).toBe(true)
        expect(gunzipSync(packed).equals(input)).toBe(true)
        expect((await readAll(decompress(cut(packed, size)))).equals(input)).toBe(true)
      },
    ),
    { numRuns: cases(40) },
  )
})

test('any byte of a gzip stream changed gives an error or the same content, never another', async () => {
  const text = Buffer.from('a text that is short, a text that repeats itself')
  const packed = await readAll(compress(text, { type: 'gzip' }))
  await fc.assert(
    fc.asyncProperty(fc.nat(packed.byteLength - 1), fc.integer({ min: 1, max: 255 }), async (at, mask) => {
      const changed = Buffer.from(packed)
      changed[at] = changed[at]! ^ mask
      const outcome = await readAll(decompress(changed, { type: 'gzip' })).then(
        bytes => bytes.toString(),
        error => error.code,
      )
      // The header's time and the bits that fill the last byte of the content say nothing.
      expect([text.toString(), 'ERR_INVALID_COMPRESSION']).toContain(outcome)
    }),
    { numRuns: cases(600) },
  )
})
