import { type ByteSource, chunksOf } from '../internal/byte-source.ts'
import { type DetectedCompression, detectCompression, MAGIC_BYTES } from './detect-compression.ts'

/** A stream whose compression has been detected. */
export interface SniffedSource {
  /** Compression detected from the first bytes. */
  readonly type: DetectedCompression
  /** All bytes of the stream, including the first ones. Read it or `return` it, once. */
  readonly content: AsyncGenerator<Uint8Array, void, undefined>
}

/**
 * Detects the compression of a stream without losing its first bytes. The stream stays open: read or return `content`.
 *
 * @internal
 */
export async function sniffCompression(source: ByteSource): Promise<SniffedSource> {
  const chunks = chunksOf(source)
  const iterator = Symbol.asyncIterator in chunks ? chunks[Symbol.asyncIterator]() : chunks[Symbol.iterator]()
  const head: Uint8Array[] = []
  let size = 0
  while (size < MAGIC_BYTES) {
    const step = await iterator.next()
    if (step.done) break
    if (step.value.byteLength === 0) continue
    // A source may reuse its buffer after the next call.
    head.push(step.value.byteLength < MAGIC_BYTES ? Uint8Array.from(step.value) : step.value)
    size += step.value.byteLength
  }
  const content = replay(head, iterator)
  // Start the generator: `return` on an unstarted generator runs no `finally`, so the source would stay open.
  await content.next()
  return { type: detectCompression(Buffer.concat(head, Math.min(size, MAGIC_BYTES))), content: content as never }
}

/** Replays the head, then the rest. The first value is only a start mark. */
async function* replay(
  head: readonly Uint8Array[],
  iterator: Iterator<Uint8Array> | AsyncIterator<Uint8Array>,
): AsyncGenerator<Uint8Array | undefined, void, undefined> {
  let running = true
  try {
    yield undefined
    yield* head
    for (;;) {
      running = false
      const step = await iterator.next()
      if (step.done) return
      running = true
      yield step.value
    }
  } finally {
    if (running) await iterator.return?.()
  }
}
