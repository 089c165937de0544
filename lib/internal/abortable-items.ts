import { abortable } from './abort.ts'

/**
 * Passes the items of a stream on. With a signal, the stream ends with the signal's reason as soon as it fires, even
 * while the source is silent. When the consumer leaves early, the source's `return` is called and awaited, except after
 * an abort: a silent source could not answer.
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
  // After an abort the caller gets the signal's reason, whatever the source answers.
  if (signal.aborted) stopped.catch(() => undefined)
  else await stopped
}
