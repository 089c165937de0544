import { abortable } from '../../internal/abort.ts'
import { type ByteSource, chunksOf } from '../../internal/byte-source.ts'

/**
 * The chunks of a source; ends with the signal's reason as soon as it fires, also while the source is silent. The source
 * is told to stop, but not waited for: a generator that waits for something cannot answer.
 */
export async function* abortableChunks(
  source: ByteSource,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array, void, undefined> {
  signal?.throwIfAborted()
  if (!signal) {
    yield* chunksOf(source)
    return
  }
  const chunks = chunksOf(source)
  const iterator = Symbol.asyncIterator in chunks ? chunks[Symbol.asyncIterator]() : chunks[Symbol.iterator]()
  let done = false
  try {
    while (true) {
      const step = await abortable(Promise.resolve(iterator.next()), signal)
      done = step.done ?? false
      if (step.done) return
      yield step.value
    }
  } catch (error) {
    done = done || !signal.aborted
    throw error
  } finally {
    // The outcome of stopping the source changes nothing any more.
    if (!done) Promise.resolve(iterator.return?.()).catch(() => undefined)
  }
}
