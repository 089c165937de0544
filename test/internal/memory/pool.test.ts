import { expect, test } from 'vitest'
import { borrowed, owned } from '../../../lib/internal/memory/borrowed.ts'
import { Pool } from '../../../lib/internal/memory/pool.ts'

function countingPool(most?: number) {
  let created = 0
  return new Pool(() => ({ number: ++created }), most)
}

test('a borrowed value is released once, whatever the number of releases', () => {
  let releases = 0
  const { value, release } = borrowed('a', () => releases++)
  expect([value, releases]).toEqual(['a', 0])
  release()
  release()
  expect(releases).toBe(1)
})

test('an owned value stays as it is after its release', () => {
  const { value, release } = owned([1])
  release()
  expect(value).toEqual([1])
})

test('a pool lends a released value again, and never a value that is still borrowed', () => {
  const pool = countingPool()
  const first = pool.borrow()
  const second = pool.borrow()
  expect(second.value).not.toBe(first.value)
  first.release()
  expect(pool.borrow().value).toBe(first.value)
  expect(pool.borrow().value).toEqual({ number: 3 })
})

test('a value that is released twice is not lent to two borrowers', () => {
  const pool = countingPool()
  const { release } = pool.borrow()
  release()
  release()
  expect(pool.borrow().value).not.toBe(pool.borrow().value)
})

test('a late second release does not take the value from its next borrower', () => {
  const pool = countingPool()
  const first = pool.borrow()
  first.release()
  const second = pool.borrow()
  first.release()
  expect(second.value).toBe(first.value)
  expect(pool.borrow().value).not.toBe(second.value)
  expect(pool.borrowed).toBe(2)
})

test('a pool keeps at most so many idle values', () => {
  const pool = countingPool(1)
  for (const { release } of [pool.borrow(), pool.borrow(), pool.borrow()]) release()
  expect(pool.borrowed).toBe(0)
  expect([pool.borrow(), pool.borrow()].map(({ value }) => value.number)).toEqual([1, 4])
})

test('a value that was never released is not lent again', () => {
  const pool = countingPool()
  const numbers = Array.from({ length: 3 }, () => pool.borrow().value.number)
  expect(numbers).toEqual([1, 2, 3])
  expect(pool.borrowed).toBe(3)
})
