import { expect, test } from 'vitest'
import { RemovalPace } from '../../lib/object-store/collect/removal-pace.ts'

test('a fast service soon removes a thousand blobs at once', () => {
  const pace = new RemovalPace()
  const sizes = Array.from({ length: 4 }, () => {
    const { atOnce } = pace
    pace.note(atOnce, { removalMs: 3, wholeMs: 9 })
    return atOnce
  })
  expect(sizes).toEqual([100, 400, 1000, 1000])
})

test('a slow service removes as many at once as it can in two seconds, and no fewer than 32', () => {
  const pace = new RemovalPace()
  pace.note(100, { removalMs: 3, wholeMs: 9 })
  pace.note(400, { removalMs: 16_000, wholeMs: 17_000 })
  expect(pace.atOnce).toBe(50)
  pace.note(50, { removalMs: 60_000, wholeMs: 61_000 })
  expect(pace.atOnce).toBe(32)
})

test('the number is halved after a removal that came too late', () => {
  const pace = new RemovalPace()
  const halved = [pace.slowDown(), pace.atOnce, pace.slowDown(), pace.atOnce, pace.slowDown(), pace.atOnce]
  expect(halved).toEqual([true, 50, true, 32, false, 32])
})

test('a service that is far away but fast removes a thousand at once, unless the looks take long', () => {
  const pace = new RemovalPace()
  pace.note(100, { removalMs: 200, wholeMs: 2200 })
  pace.note(400, { removalMs: 250, wholeMs: 2300 })
  expect(pace.atOnce).toBe(1000)
  pace.note(1000, { removalMs: 300, wholeMs: 15_000 })
  expect(pace.atOnce).toBe(500)
})
