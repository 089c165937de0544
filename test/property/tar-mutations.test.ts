import { expect, test } from 'vitest'
import { readTar } from '../../lib/tar/index.ts'
import { cut } from '../helpers/cut.ts'
import fc, { cases } from '../helpers/fast-check.ts'
import { readEntries } from '../helpers/read-entries.ts'
import { scanTar } from '../helpers/scan-tar.ts'
import { tarCases } from '../helpers/tar-cases/all-tar-cases.ts'

/** Archives tried; `TAR_MUTATIONS` sets another number. */
const RUNS = cases(10_000)

/** Archives to mutate: every small case of the catalogue. */
const archives = Object.values(tarCases)
  .flat()
  .map(({ bytes }) => Buffer.from(bytes()))
  .filter(bytes => bytes.byteLength > 0 && bytes.byteLength < 8192)

/**
 * One mutation: flips a byte; inserts, removes or doubles bytes; or truncates. Positions are fractions of the length.
 */
const mutation = fc.record({
  kind: fc.constantFrom('flip', 'flip', 'flip', 'digit', 'insert', 'remove', 'double', 'cut' as const),
  place: fc.double({ min: 0, max: 0.999, noNaN: true }),
  byte: fc.integer({ min: 1, max: 255 }),
  count: fc.constantFrom(1, 2, 511, 512, 513, 1024),
})

function mutate(
  bytes: Buffer,
  { kind, place, byte, count }: typeof mutation extends fc.Arbitrary<infer T> ? T : never,
) {
  const at = Math.floor(place * bytes.byteLength)
  const before = bytes.subarray(0, at)
  const after = bytes.subarray(at + count)
  if (kind === 'cut') return before
  if (kind === 'remove') return Buffer.concat([before, after])
  if (kind === 'double') return Buffer.concat([before, bytes.subarray(at, at + count), bytes.subarray(at)])
  if (kind === 'insert') return Buffer.concat([before, Buffer.alloc(count, byte), bytes.subarray(at)])
  const copy = Buffer.from(bytes)
  if (at < copy.byteLength) copy[at] = kind === 'digit' ? 0x30 + (byte % 10) : copy[at]! ^ byte
  return copy
}

/** Corrects the checksum of every header, so that readers accept a mutated header. */
function sealed(bytes: Buffer): Buffer {
  const copy = Buffer.from(bytes)
  for (let at = 0; at + 512 <= copy.byteLength; at += 512) {
    if (copy.toString('latin1', at + 257, at + 262) !== 'ustar') continue
    copy.write('        ', at + 148, 'latin1')
    let sum = 0
    for (let i = at; i < at + 512; i++) sum += copy[i]!
    copy.write(`${sum.toString(8).padStart(6, '0')}\0 `, at + 148, 'latin1')
  }
  return copy
}

const mutated = fc
  .tuple(fc.nat(archives.length - 1), fc.array(mutation, { minLength: 1, maxLength: 4 }), fc.boolean())
  .map(([place, changes, seal]) => {
    const changed = changes.reduce<Buffer>((bytes, change) => mutate(bytes, change), archives[place]!)
    return seal ? sealed(changed) : changed
  })

/** Limit for the content of all entries; only expanded holes could exceed the size of the archive. */
const limits = { maxBytes: 2 ** 22, maxHeaderBytes: 2 ** 16 }

test(`${RUNS} archives with bytes flipped, put in, cut out or cut off are read or refused by a typed error, within bounds`, () => {
  let read = 0
  fc.assert(
    fc.property(mutated, fc.constantFrom(1, 100, 512, 700, 65536), (bytes, size) => {
      // The scanner throws only errors of the library.
      const verdict = scanTar(bytes, size === 1 && bytes.byteLength > 2048 ? 64 : size, limits)
      if (!('entries' in verdict)) return
      read++
      const content = verdict.entries.reduce((sum, { text }) => sum + text.length, 0)
      expect(content).toBeLessThanOrEqual(limits.maxBytes)
      for (const { path, size, text, sparse } of verdict.entries) {
        expect(text.length).toBe(size)
        if (!sparse) expect(text.length).toBeLessThan(bytes.byteLength)
        if (path.split('/').includes('..') || path.includes('\0'))
          throw new Error(`unsafe path ${JSON.stringify(path)}`)
      }
    }),
    { numRuns: RUNS },
  )
  // If all were refused, the property would say nothing about what is read.
  expect(read).toBeGreaterThan(RUNS / 100)
})

test('the way in which the bytes are cut makes no difference, and pulling gives what pushing gives', async () => {
  await fc.assert(
    fc.asyncProperty(mutated, fc.integer({ min: 1, max: 1500 }), async (bytes, size) => {
      const whole = scanTar(bytes, Math.max(1, bytes.byteLength), limits)
      expect(scanTar(bytes, size, limits)).toEqual(whole)
      const pulled = await readEntries(readTar(cut(bytes, size), limits)).then(
        entries => ({ entries }),
        ({ code, at }) => ({ code, at }),
      )
      expect(pulled).toEqual(whole)
    }),
    { numRuns: Math.ceil(RUNS / 20) },
  )
})
