import { expect, test } from 'vitest'
import { ByteBudget } from '../../lib/transfer/running/byte-budget.ts'

test('no more is given out than there is, in the order in which it was asked for', async () => {
  const budget = new ByteBudget(100)
  const first = await budget.take(60, undefined)
  const order: string[] = []
  const large = budget.take(80, undefined).then(give => {
    order.push('large')
    return give
  })
  const small = budget.take(10, undefined).then(give => {
    order.push('small')
    return give
  })
  await Promise.resolve()
  expect(order).toEqual([])
  first()
  first()
  const giveLarge = await large
  await small
  expect(order).toEqual(['large', 'small'])
  let last = false
  const whole = budget.take(1_000_000, undefined).then(() => {
    last = true
  })
  giveLarge()
  await Promise.resolve()
  expect(last).toBe(false)
  ;(await small)()
  await whole
})

test('whoever is stopped while waiting takes nothing, and those behind go on', async () => {
  const budget = new ByteBudget(10)
  const give = await budget.take(10, undefined)
  const stop = new AbortController()
  const stopped = budget.take(10, stop.signal)
  const behind = budget.take(5, undefined)
  stop.abort(new Error('enough'))
  await expect(stopped).rejects.toThrow('enough')
  give()
  ;(await behind)()
  ;(await budget.take(10, undefined))()
})
