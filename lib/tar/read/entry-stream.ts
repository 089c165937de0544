import { FormatError } from '../../errors/index.ts'
import type { AbortOptions } from '../../internal/abort.ts'
import type { ScannedHeader, TarEntry } from '../tar-entry.ts'
import type { TarLimits } from '../tar-limits.ts'
import { TarScanner } from './tar-scanner.ts'

/** The entries of an archive, pulled out of a source that is asked for a chunk only when the last one is used up. */
export class EntryStream {
  readonly #scanner: TarScanner
  readonly #chunks: Iterator<Uint8Array> | AsyncIterator<Uint8Array>
  readonly #signal: AbortSignal | undefined
  #running = true
  /** Entries handed out; the content of any but the last cannot be read any more. */
  #entries = 0
  /** The chunk that is being waited for. */
  #pending: Promise<boolean> | undefined
  #failure: { readonly error: unknown } | undefined

  constructor(chunks: Iterable<Uint8Array> | AsyncIterable<Uint8Array>, options: AbortOptions & TarLimits) {
    this.#scanner = new TarScanner(options)
    this.#chunks = Symbol.asyncIterator in chunks ? chunks[Symbol.asyncIterator]() : chunks[Symbol.iterator]()
    this.#signal = options.signal
  }

  /** The next entry, when what is left of the last one has been passed over; `undefined` at the end of the source. */
  async next(): Promise<TarEntry | undefined> {
    this.#entries++
    // Content whose reading was begun and not awaited may still be waiting for a chunk.
    if (this.#pending) await this.#pending
    this.#signal?.throwIfAborted()
    this.#scanner.skip()
    for (;;) {
      // With the content passed over, all there can be is a header.
      const found = this.#scan() as ScannedHeader | undefined
      if (found) return this.#entry(found)
      if (!(await this.#fill())) return undefined
    }
  }

  /** Stops the source if it has not ended. */
  async close(): Promise<void> {
    this.#entries++
    if (!this.#running) return
    this.#running = false
    await this.#chunks.return?.()
  }

  #entry(header: ScannedHeader): TarEntry {
    // PERF: nobody else has the header, so that it need not be copied.
    const entry = header as { -readonly [K in keyof TarEntry]: TarEntry[K] }
    entry.content = header.size > 0 ? this.#content(this.#entries, header) : NO_CONTENT
    return entry
  }

  async *#content(entry: number, { path, size }: ScannedHeader): AsyncGenerator<Uint8Array, void, undefined> {
    for (let left = size; left > 0; ) {
      if (this.#failure) throw this.#failure.error
      if (this.#entries !== entry) {
        throw new FormatError(
          'ERR_INVALID_ARGUMENT',
          `content of ${JSON.stringify(path)} was passed over: read it first`,
        )
      }
      this.#signal?.throwIfAborted()
      const piece = this.#scan() as Uint8Array | undefined
      if (piece) {
        left -= piece.byteLength
        yield piece
      } else {
        await this.#fill()
      }
    }
  }

  #scan(): ScannedHeader | Uint8Array | undefined {
    if (this.#failure) throw this.#failure.error
    try {
      return this.#scanner.next()
    } catch (error) {
      this.#failure = { error }
      throw error
    }
  }

  /** Hands the next chunk to the scanner; `false` at the end of the source. */
  #fill(): Promise<boolean> {
    this.#pending ??= this.#read().finally(() => {
      this.#pending = undefined
    })
    return this.#pending
  }

  async #read(): Promise<boolean> {
    try {
      const step = await this.#chunks.next()
      if (step.done) {
        this.#running = false
        this.#scanner.end()
        return false
      }
      this.#scanner.push(step.value)
      return true
    } catch (error) {
      this.#running = false
      this.#failure = { error }
      throw error
    }
  }
}

const NO_CONTENT: AsyncIterable<Uint8Array> = {
  [Symbol.asyncIterator]: () => ({ next: () => Promise.resolve({ done: true as const, value: undefined }) }),
}
