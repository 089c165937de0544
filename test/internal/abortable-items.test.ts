import { describe, expect, test } from 'vitest'
import { abortableItems } from '../../lib/internal/abortable-items.ts'
import { thrownBy } from '../helpers/thrown-by.ts'
import { watchedSource } from '../helpers/watched-source.ts'

const chunks = [Uint8Array.of(1), Uint8Array.of(2), Uint8Array.of(3)]
const drain = async (items: Iterable<unknown> | AsyncIterable<unknown>) => {
  let seen = 0
  for await (const _ of items) seen++
  return seen
}

test('without a signal it is the stream itself', () => {
  expect(abortableItems(chunks, undefined)).toBe(chunks)
})

describe('with a signal', () => {
  test('every item passes, of a list and of a stream, and the stream is not stopped at its end', async () => {
    const { signal } = new AbortController()
    const { source, state } = watchedSource(chunks)
    expect(await drain(abortableItems(chunks, signal))).toBe(3)
    expect(await drain(abortableItems(source, signal))).toBe(3)
    expect(state).toEqual({ taken: 3, returned: false })
  })

  test('an abort ends a silent stream, which is told to stop', async () => {
    const controller = new AbortController()
    const { source, state } = watchedSource(chunks, { silent: true })
    setTimeout(() => controller.abort('enough'), 20)
    expect(await thrownBy(() => drain(abortableItems(source, controller.signal)))).toBe('enough')
    expect(state.returned).toBe(true)
  })

  test('a stream that does not answer, or answers with a fault, does not hold up the abort', async () => {
    const controller = new AbortController()
    const silent = (async function* () {
      await new Promise(() => {})
      yield 1
    })()
    const faulty: AsyncIterable<number> = {
      [Symbol.asyncIterator]: () => ({
        next: () => new Promise<never>(() => {}),
        return: () => Promise.reject(new Error('fault')),
      }),
    }
    setTimeout(() => controller.abort('enough'), 20)
    const outcomes = [silent, faulty].map(items => thrownBy(() => drain(abortableItems(items, controller.signal))))
    expect(await Promise.all(outcomes)).toEqual(['enough', 'enough'])
  })

  test('an abort before the beginning takes nothing', async () => {
    const { source, state } = watchedSource(chunks)
    expect(await thrownBy(() => drain(abortableItems(source, AbortSignal.abort('enough'))))).toBe('enough')
    expect(state.taken).toBe(0)
  })

  test('an abort between two items ends the stream before the next is taken', async () => {
    const controller = new AbortController()
    const { source, state } = watchedSource(chunks)
    const read = async () => {
      for await (const _ of abortableItems(source, controller.signal)) controller.abort('enough')
    }
    expect(await thrownBy(read)).toBe('enough')
    expect(state).toEqual({ taken: 1, returned: true })
  })

  test('leaving early stops the stream and waits for it', async () => {
    let stopped = false
    const items = (async function* () {
      try {
        yield 1
        yield 2
      } finally {
        await new Promise(resolve => setTimeout(resolve, 20))
        stopped = true
      }
    })()
    for await (const _ of abortableItems(items, new AbortController().signal)) break
    expect(stopped).toBe(true)
  })

  test('an error of the stream arrives unchanged, and a stream that has ended is not stopped', async () => {
    const fault = new Error('fault')
    let returned = false
    const failing: AsyncIterable<number> = {
      [Symbol.asyncIterator]: () => ({
        next: () => Promise.reject(fault),
        return: async () => {
          returned = true
          return { value: undefined, done: true }
        },
      }),
    }
    expect(await thrownBy(() => drain(abortableItems(failing, new AbortController().signal)))).toBe(fault)
    expect(returned).toBe(false)
  })
})
