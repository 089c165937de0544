import { type ByteSource, chunksOf } from '../../internal/byte-source.ts'
import { type BytesCome, type Engine, EngineInput } from './engine-input.ts'

/** Receives the bytes of a source after the end of the compressed data. */
export type Surplus = (rest: AsyncIterable<Uint8Array>) => Promise<void>

type Chunks = Iterator<Uint8Array> | AsyncIterator<Uint8Array>

/** Writes a source to an engine, and ends it. Passes the unconsumed bytes to `surplus`, which must read them all. */
export async function feedEngine(
  engine: Engine,
  source: ByteSource,
  surplus: Surplus,
  ahead: BytesCome | undefined,
): Promise<void> {
  const input = new EngineInput(engine, ahead)
  const chunks = chunksOf(source)
  const iterator = Symbol.asyncIterator in chunks ? chunks[Symbol.asyncIterator]() : chunks[Symbol.iterator]()
  let running = false
  try {
    do {
      running = false
      const step = await nextChunk(iterator, input)
      if (step.done) break
      running = true
      if (!(await input.give(step.value))) break
    } while (running)
    if (await input.settled()) engine.end()
    else if (!engine.destroyed) {
      // The engine reached the end of its format before the end of its input.
      const rest = restOf(input.unread(), running ? iterator : undefined)
      running = false
      await surplus(rest)
    }
  } finally {
    if (running) await iterator.return?.()
  }
}

/**
 * Reads the next chunk. If the source fails, the engine first decompresses the earlier chunks, as it would without
 * read-ahead.
 */
async function nextChunk(iterator: Chunks, input: EngineInput): Promise<IteratorResult<Uint8Array>> {
  try {
    return await iterator.next()
  } catch (error) {
    await input.settled()
    throw error
  }
}

async function* restOf(
  unread: Iterable<Uint8Array>,
  iterator: Chunks | undefined,
): AsyncGenerator<Uint8Array, void, undefined> {
  let running = true
  try {
    yield* unread
    for (;;) {
      running = false
      const step = await iterator?.next()
      if (!step || step.done) return
      running = true
      yield step.value
    }
  } finally {
    if (running) await iterator?.return?.()
  }
}
