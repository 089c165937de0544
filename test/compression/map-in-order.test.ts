import { expect, test } from 'vitest'
import { mapInOrder } from '../../lib/compression/shared/map-in-order.ts'
import { thrownBy } from '../helpers/thrown-by.ts'

const pause = (ms: number) => new Promise(resolve => setTimeout(resolve, ms))
async function* numbers(count: number) {
  for (let i = 0; i < count; i++) yield i
}

test('results come in the order of the items, with at most so many in work', async () => {
  let running = 0
  let most = 0
  const work = async (item: number) => {
    most = Math.max(most, ++running)
    await pause(item % 3 === 0 ? 15 : 1)
    running--
    return item
  }
  const results: number[] = []
  for await (const result of mapInOrder(numbers(10), work, { concurrency: 3 })) results.push(result)
  expect(results).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
  expect(most).toBe(3)
})

test.each(['fault', 'abort', 'leave'])('after a %s no work is running any more', async how => {
  let running = 0
  const controller = new AbortController()
  const fault = new Error('fault')
  const work = async (item: number) => {
    running++
    await pause(10 * (item + 1))
    running--
    if (how === 'fault' && item === 1) throw fault
    return item
  }
  const read = async () => {
    for await (const _ of mapInOrder(numbers(10), work, { concurrency: 4, signal: controller.signal })) {
      if (how === 'abort') setTimeout(() => controller.abort(fault), 1)
      if (how === 'leave') throw fault
    }
  }
  expect(await thrownBy(read)).toBe(fault)
  expect(running).toBe(0)
})
