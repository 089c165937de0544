import { describe, expect, test } from 'vitest'
import { ContentChunker } from '../../lib/inspect/dedup/content-chunker.ts'
import fc from '../helpers/fast-check.ts'
import { mixedBytes } from '../helpers/mixed-bytes.ts'

const SIZES = { min: 256, mean: 1024, max: 4096 }

/** The chunks of bytes that arrive in parts of the given sizes, one after the other. */
function chunksOf(bytes: Uint8Array, parts: readonly number[] = [bytes.byteLength], sizes = SIZES): Buffer[] {
  const chunker = new ContentChunker(sizes)
  const chunks: Buffer[] = []
  for (let at = 0, i = 0; at < bytes.byteLength; i++) {
    const end = at + Math.max(1, parts[i % parts.length]!)
    for (const chunk of chunker.push(bytes.subarray(at, end))) chunks.push(Buffer.from(chunk))
    at = end
  }
  for (const chunk of chunker.end()) chunks.push(Buffer.from(chunk))
  return chunks
}

describe('content-defined chunks', () => {
  const bytes = mixedBytes(400_000)

  test('together are the content, and keep their limits', () => {
    const chunks = chunksOf(bytes)
    expect(Buffer.concat(chunks).equals(bytes)).toBe(true)
    expect(chunks.slice(0, -1).every(({ length }) => length >= SIZES.min && length <= SIZES.max)).toBe(true)
    const mean = bytes.byteLength / chunks.length
    expect(mean).toBeGreaterThan(SIZES.mean / 2)
    expect(mean).toBeLessThan(SIZES.mean * 2)
  })

  test('do not depend on the parts in which the content arrives', () => {
    const whole = chunksOf(bytes).map(chunk => chunk.length)
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 50_000 }), { minLength: 1, maxLength: 5 }), parts => {
        expect(chunksOf(bytes, parts).map(chunk => chunk.length)).toEqual(whole)
      }),
      { numRuns: 10 },
    )
  })

  test('after an insertion are the same again, but for the chunks around it', () => {
    const before = new Set(chunksOf(bytes).map(chunk => chunk.toString('latin1')))
    const longer = Buffer.concat([bytes.subarray(0, 200_000), Buffer.from('inserted'), bytes.subarray(200_000)])
    const changed = chunksOf(longer).filter(chunk => !before.has(chunk.toString('latin1')))
    expect(changed.length).toBeGreaterThan(0)
    expect(changed.length).toBeLessThan(5)
  })

  test('of equal bytes are of the largest size, of little content one, of none none', () => {
    expect(chunksOf(Buffer.alloc(10_000)).map(({ length }) => length)).toEqual([4096, 4096, 1808])
    expect(chunksOf(Buffer.from('x')).map(({ length }) => length)).toEqual([1])
    expect(chunksOf(Buffer.alloc(0))).toEqual([])
  })

  test('of one stream do not depend on the stream before', () => {
    const chunker = new ContentChunker(SIZES)
    const lengths = () => [...chunker.push(bytes.subarray(0, 20_000)), ...chunker.end()].map(({ length }) => length)
    expect(lengths()).toEqual(lengths())
  })

  test.each([
    { min: 256, mean: 1000, max: 4096 },
    { min: 1024, mean: 1024, max: 4096 },
    { min: 256, mean: 1024, max: 1024 },
    { min: 1, mean: 1024, max: 4096 },
    { min: 256, mean: 1024, max: 2 ** 30 },
  ])('of sizes %j are refused', sizes => {
    expect(() => new ContentChunker(sizes)).toThrow(expect.objectContaining({ code: 'ERR_INVALID_ARGUMENT' }))
  })
})
