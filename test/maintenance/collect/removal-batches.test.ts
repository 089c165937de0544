import { expect, test } from 'vitest'
import { parseDigest } from '../../../lib/digest/index.ts'
import { removalBatches } from '../../../lib/maintenance/collect/removal-batches.ts'
import type { StoredBlob } from '../../../lib/store/index.ts'
import fc from '../../helpers/fast-check.ts'

let count = 0
const blobs = (length: number): StoredBlob[] =>
  Array.from({ length }, () => {
    const digest = parseDigest(`sha256:${String(++count).padStart(64, '0')}`)
    return { digest, size: 1, modifiedMs: 0 }
  })

const shapeOf = (sizes: readonly number[]) =>
  [...removalBatches(sizes.map(blobs))].map(batch => [batch.blobs.length, batch.independent])

test('a large generation is removed at the same time, in batches', () => {
  expect(shapeOf([3000])).toEqual([
    [1000, true],
    [1000, true],
    [1000, true],
  ])
})

test('small generations share a batch, in which parents come first', () => {
  expect(shapeOf([1, 2, 3])).toEqual([[6, false]])
  expect(shapeOf([1, 500, 2])).toEqual([
    [1, false],
    [500, true],
    [2, false],
  ])
  expect(shapeOf(Array.from({ length: 3000 }, () => 1)).length).toBeLessThan(5)
})

test('every blob is in one batch, after those of earlier generations', () => {
  const sizes = fc.array(fc.oneof(fc.nat(40), fc.nat(1200)), { maxLength: 12 })
  fc.assert(
    fc.property(sizes, all => {
      const generations = all.map(blobs)
      const batches = [...removalBatches(generations)]
      expect(batches.flatMap(batch => batch.blobs)).toEqual(generations.flat())
      for (const { blobs: some, independent } of batches) {
        expect(some.length).toBeGreaterThan(0)
        expect(some.length).toBeLessThanOrEqual(1000)
        const from = new Set(some.map(blob => generations.findIndex(generation => generation.includes(blob))))
        if (independent) expect(from.size).toBe(1)
      }
    }),
    { numRuns: 50 },
  )
})
