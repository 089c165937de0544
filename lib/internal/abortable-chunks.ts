import { abortable } from './abort.ts'
import { type ByteSource, chunksOf } from './byte-source.ts'

/**
 * The chunks of a source; with a signal, they end with its reason as soon as it fires, also while the source is silent.
 * A source that is left early is told so and waited for, except after an abort: a silent source could not answer.
 */
export function abortableChunks(
  source: ByteSource,
  signal: AbortSignal | undefined,
): Iterable<Uint8Array> | AsyncIterable<Uint8Array> {
  return signal ? guard(chunksOf(source), signal) : chunksOf(source)
}

async function* guard(
  chunks: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array, void, undefined> {
  signal.throwIfAborted()
  const iterator = Symbol.asyncIterator in chunks ? chunks[Symbol.asyncIterator]() : chunks[Symbol.iterator]()
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

async function stop(iterator: Iterator<Uint8Array> | AsyncIterator<Uint8Array>, signal: AbortSignal): Promise<void> {
  const stopped = Promise.resolve(iterator.return?.())
  // After an abort its reason is what the caller gets; how the source took it changes nothing.
  if (signal.aborted) stopped.catch(() => undefined)
  else await stopped
}
