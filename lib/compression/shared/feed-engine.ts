import { type ByteSource, chunksOf } from '../../internal/byte-source.ts'
import { type BytesCome, type Engine, EngineInput } from './engine-input.ts'

/** The bytes of a source after those that an engine has consumed. */
export type Surplus = (rest: AsyncIterable<Uint8Array>) => Promise<void>

type Chunks = Iterator<Uint8Array> | AsyncIterator<Uint8Array>

/** Gives an engine the bytes of a source, and ends it. What it leaves unread goes to `surplus`, which must read it all. */
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
      // The engine has come to an end of its own, inside what it was given.
      const rest = restOf(input.unread(), running ? iterator : undefined)
      running = false
      await surplus(rest)
    }
  } finally {
    if (running) await iterator.return?.()
  }
}

/** What came before a failure of the source is opened first, as if nobody had looked ahead. */
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
