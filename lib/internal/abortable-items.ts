import { abortable } from './abort.ts'

/**
 * The items of a stream; with a signal, they end with its reason as soon as it fires, also while the stream is silent.
 * A stream that is left early is told so and waited for, except after an abort: a silent one could not answer.
 */
export function abortableItems<T>(
  items: Iterable<T> | AsyncIterable<T>,
  signal: AbortSignal | undefined,
): Iterable<T> | AsyncIterable<T> {
  return signal ? guard(items, signal) : items
}

async function* guard<T>(
  items: Iterable<T> | AsyncIterable<T>,
  signal: AbortSignal,
): AsyncGenerator<T, void, undefined> {
  signal.throwIfAborted()
  const iterator = Symbol.asyncIterator in items ? items[Symbol.asyncIterator]() : items[Symbol.iterator]()
  let running = true
  try {
    for (;;) {
      signal.throwIfAborted()
      const step = await abortable(Promise.resolve(iterator.next()), signal)
      if (step.done) {
        running = false
        return
      }
      yield step.value
    }
  } catch (error) {
    running = signal.aborted
    throw error
  } finally {
    if (running) await stop(iterator, signal)
  }
}

async function stop(iterator: Iterator<unknown> | AsyncIterator<unknown>, signal: AbortSignal): Promise<void> {
  const stopped = Promise.resolve(iterator.return?.())
  // After an abort its reason is what the caller gets; how the stream took it changes nothing.
  if (signal.aborted) stopped.catch(() => undefined)
  else await stopped
}
