import { FormatError } from '../../errors/index.ts'
import type { AbortOptions } from '../../internal/abort.ts'
import type { ScannedHeader, TarEntry } from '../tar-entry.ts'
import type { TarLimits } from '../tar-limits.ts'
import { TarScanner } from './tar-scanner.ts'

/**
 * Entries of an archive, pulled from a source. The source is asked for a chunk only after the previous chunk is used
 * up.
 */
export class EntryStream {
  readonly #scanner: TarScanner
  readonly #chunks: Iterator<Uint8Array> | AsyncIterator<Uint8Array>
  readonly #signal: AbortSignal | undefined
  #running = true
  /** Number of entries returned; only the content of the last one can be read. */
  #entries = 0
  /** Pending read of the next chunk. */
  #pending: Promise<boolean> | undefined
  #failure: { readonly error: unknown } | undefined

  constructor(chunks: Iterable<Uint8Array> | AsyncIterable<Uint8Array>, options: AbortOptions & TarLimits) {
    this.#scanner = new TarScanner(options)
    this.#chunks = Symbol.asyncIterator in chunks ? chunks[Symbol.asyncIterator]() : chunks[Symbol.iterator]()
    this.#signal = options.signal
  }

  /** Skips the rest of the last entry and resolves to the next one; `undefined` at the end of the source. */
  async next(): Promise<TarEntry | undefined> {
    this.#entries++
    // The caller may have started to read the content without awaiting it: that read may still wait for a chunk.
    if (this.#pending) await this.#pending
    this.#signal?.throwIfAborted()
    this.#scanner.skip()
    for (;;) {
      // After `skip` the scanner returns no content, so this is a header.
      const found = this.#scan() as ScannedHeader | undefined
      if (found) return this.#entry(found)
      if (!(await this.#fill())) return undefined
    }
  }

  /** Stops the source unless it has ended. */
  async close(): Promise<void> {
    this.#entries++
    if (!this.#running) return
    this.#running = false
    await this.#chunks.return?.()
  }

  #entry(header: ScannedHeader): TarEntry {
    // PERF: the scanner keeps no reference to the header, so it needs no copy.
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

  /** Pushes the next chunk to the scanner; `false` at the end of the source. */
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
