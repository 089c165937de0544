import type { Transform } from 'node:stream'
import { FormatError } from '../../errors/index.ts'
import { type ByteSource, chunksOf } from '../../internal/byte-source.ts'

/** Bytes of each piece of output. PERF: 16 KiB 271 MB/s, 64 KiB 471, 256 KiB 581, 1 MiB 661 (gunzip of real layers). */
const OUTPUT_PIECE = 512 * 1024

/** Options of an engine; two pieces wait while the next is made, so that a busy reader does not stop it at once. */
export const ENGINE_OPTIONS: { readonly chunkSize: number } = {
  chunkSize: OUTPUT_PIECE,
  ...{ highWaterMark: 2 * OUTPUT_PIECE },
}

/** A stream of node:zlib. */
export type Engine = Transform & { readonly bytesWritten: number }

/** The bytes of a source after those that an engine has consumed. */
export type Surplus = (rest: AsyncIterable<Uint8Array>) => Promise<void>

/**
 * Runs the bytes of a source through an engine of node:zlib. Input is handed over one chunk at a time, so that at most
 * one chunk and one piece of output are held. What the engine leaves unread goes to `surplus`, which must read it all.
 *
 * @throws {@link FormatError} `ERR_INVALID_COMPRESSION` for what the engine refuses; what the source throws, as it is.
 */
export async function* runEngine(
  open: () => Engine,
  source: ByteSource,
  surplus: Surplus,
): AsyncGenerator<Uint8Array, void, undefined> {
  const engine = open()
  let failure: { error: unknown } | undefined
  const feeding = feed(engine, source, surplus).catch((error: unknown) => {
    failure = { error }
    engine.destroy()
  })
  try {
    // The iterator must not destroy the engine while the input after its end is still being looked at.
    for await (const piece of engine.iterator({ destroyOnReturn: false }) as AsyncIterable<Uint8Array>) yield piece
    await feeding
  } catch (cause) {
    if (!failure) throw asFormatError(cause)
  } finally {
    engine.destroy()
    await feeding
  }
  if (failure) throw (failure as { error: unknown }).error
}

async function feed(engine: Engine, source: ByteSource, surplus: Surplus): Promise<void> {
  const write = writerOf(engine)
  const chunks = chunksOf(source)
  const iterator = Symbol.asyncIterator in chunks ? chunks[Symbol.asyncIterator]() : chunks[Symbol.iterator]()
  let given = 0
  let running = true
  try {
    for (;;) {
      running = false
      const step = await iterator.next()
      if (step.done) break
      running = true
      const chunk = step.value
      if (chunk.byteLength === 0) continue
      given += chunk.byteLength
      const taken = await write(chunk)
      const unread = given - engine.bytesWritten
      if (taken && unread === 0) continue
      if (!engine.destroyed) {
        // The engine has come to an end of its own, inside this chunk or before it.
        running = false
        await surplus(restOf(chunk.subarray(chunk.byteLength - unread), iterator))
      }
      return
    }
    engine.end()
  } finally {
    if (running) await iterator.return?.()
  }
}

/**
 * Hands one chunk over and tells whether the engine took all of it; `false` as soon as it takes no more, because it has
 * ended, failed or was destroyed: then it never answers.
 */
function writerOf(engine: Engine): (chunk: Uint8Array) => Promise<boolean> {
  let answer: (taken: boolean) => void = () => {}
  for (const event of ['end', 'error', 'close']) engine.once(event, () => answer(false))
  return chunk => {
    if (engine.readableEnded || engine.destroyed) return Promise.resolve(false)
    return new Promise(resolve => {
      answer = resolve
      engine.write(chunk, error => resolve(!error))
    })
  }
}

async function* restOf(
  first: Uint8Array,
  iterator: Iterator<Uint8Array> | AsyncIterator<Uint8Array>,
): AsyncGenerator<Uint8Array, void, undefined> {
  let running = true
  try {
    yield first
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

/** The library's error for what an engine refuses; anything else as it is. */
export function asFormatError(cause: unknown): unknown {
  const { code = '', message } = cause as NodeJS.ErrnoException
  // An engine out of memory says nothing about the input.
  if (!/^(Z_|ZSTD_|ERR_BUFFER_TOO_LARGE)/.test(code) || /MEM_ERROR|memory_allocation/.test(code)) return cause
  return new FormatError('ERR_INVALID_COMPRESSION', `compressed stream is damaged or truncated: ${message}`, { cause })
}
