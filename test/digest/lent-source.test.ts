import { expect, test } from 'vitest'
import { LentBytes, SourceLoan } from '../../lib/digest/index.ts'

const loan = new SourceLoan({ fd: 0 })
const placeOf = ({ position, byteLength }: LentBytes) => [position, byteLength]

test.each([
  [undefined, undefined, [1000, 100]],
  [30, undefined, [1030, 70]],
  [30, 50, [1030, 20]],
  [-10, undefined, [1090, 10]],
  [30, 500, [1030, 70]],
  [200, 300, [1100, 0]],
])('the part of lent bytes from %s to %s has its place in the file', (begin, end, place) => {
  const part = new LentBytes(loan, 1000, 100).subarray(begin, end)
  expect(part).toBeInstanceOf(LentBytes)
  expect(part.loan).toBe(loan)
  expect(placeOf(part)).toEqual(place)
  expect(placeOf(part.subarray(5))).toEqual([place[0]! + Math.min(5, place[1]!), Math.max(0, place[1]! - 5)])
})

test('a copy of lent bytes is ordinary bytes', () => {
  expect(new LentBytes(loan, 1000, 3).slice()).toEqual(new Uint8Array(3))
  expect(new LentBytes(loan, 1000, 3).slice()).not.toBeInstanceOf(LentBytes)
})

test('a loan keeps its first fault, and ends after its borrower has stopped', async () => {
  const lent = new SourceLoan({ fd: 0 })
  await lent.end()
  const order: string[] = []
  lent.begin(async () => void order.push('stopped'))
  lent.fail({ type: 'size', actual: 1 })
  lent.fail({ type: 'size', actual: 2 })
  await lent.end()
  order.push('ended')
  expect(order).toEqual(['stopped', 'ended'])
  expect(lent.fault).toEqual({ type: 'size', actual: 1 })
})
