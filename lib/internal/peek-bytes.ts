import { type ByteSource, chunksOf } from './byte-source.ts'

/** A stream whose first bytes are known. */
export interface PeekedSource {
  /** The first bytes: fewer than asked for if the stream has fewer. */
  readonly head: Uint8Array
  /** All bytes of the stream, including the first ones. Read it or `return` it, once. */
  readonly content: AsyncGenerator<Uint8Array, void, undefined>
}

/** Reads the first bytes of a stream without losing them. The stream stays open: read or return `content`. */
export async function peekBytes(source: ByteSource, count: number): Promise<PeekedSource> {
  const chunks = chunksOf(source)
  const iterator = Symbol.asyncIterator in chunks ? chunks[Symbol.asyncIterator]() : chunks[Symbol.iterator]()
  const first: Uint8Array[] = []
  let size = 0
  while (size < count) {
    const step = await iterator.next()
    if (step.done) break
    if (step.value.byteLength === 0) continue
    // A source may reuse its buffer after the next call.
    first.push(step.value.byteLength < count ? Uint8Array.from(step.value) : step.value)
    size += step.value.byteLength
  }
  const content = replay(first, iterator)
  // Start the generator: `return` on an unstarted generator runs no `finally`, so the source would stay open.
  await content.next()
  return { head: Buffer.concat(first, Math.min(size, count)), content: content as never }
}

/** Replays the first chunks, then the rest. The first value is only a start mark. */
async function* replay(
  first: readonly Uint8Array[],
  iterator: Iterator<Uint8Array> | AsyncIterator<Uint8Array>,
): AsyncGenerator<Uint8Array | undefined, void, undefined> {
  let running = true
  try {
    yield undefined
    yield* first
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
