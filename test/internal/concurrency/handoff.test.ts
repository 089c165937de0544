import { expect, test } from 'vitest'
import { Condition } from '../../../lib/internal/concurrency/condition.ts'
import { Handoff } from '../../../lib/internal/concurrency/handoff.ts'

test('a condition wakes its waiter at the next notification; one without a waiter is lost', async () => {
  const condition = new Condition()
  condition.notify()
  let woken = false
  const waiting = condition.wait().then(() => {
    woken = true
  })
  await Promise.resolve()
  expect([woken, condition.isAwaited]).toEqual([false, true])
  condition.notify()
  await waiting
  expect(condition.isAwaited).toBe(false)
})

test('send resolves when the receiver asks for the next item', async () => {
  const handoff = new Handoff<number>()
  const received = handoff.received()
  let sent = false
  const sending = handoff.send(1).then(() => {
    sent = true
  })
  expect(await received.next()).toEqual({ value: 1, done: false })
  await Promise.resolve()
  expect(sent).toBe(false)
  const next = received.next()
  await sending
  handoff.close()
  expect(await next).toEqual({ value: undefined, done: true })
})

test('items arrive in the order in which they were sent', async () => {
  const handoff = new Handoff<number>()
  const sending = (async () => {
    for (const item of [1, 2, 3]) await handoff.send(item)
    handoff.close()
  })()
  const items: number[] = []
  for await (const item of handoff.received()) items.push(item)
  await sending
  expect(items).toEqual([1, 2, 3])
})

test('a receiver that fails makes pending and later sends reject', async () => {
  const handoff = new Handoff<number>()
  const pending = handoff.send(1)
  handoff.fail(new Error('receiver failed'))
  await expect(pending).rejects.toThrow('receiver failed')
  await expect(handoff.send(2)).rejects.toThrow('receiver failed')
})

test('a sender that closes with an error makes the loop of the receiver throw it', async () => {
  const handoff = new Handoff<number>()
  const next = handoff.received().next()
  handoff.close(new Error('sender failed'))
  handoff.close()
  await expect(next).rejects.toThrow('sender failed')
})
