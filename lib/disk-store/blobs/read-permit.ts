import type { ElasticSemaphore } from '../../internal/concurrency/elastic-semaphore.ts'

/** A reader whose caller pauses for this long releases its permit. */
const PAUSE_MS = 100

/**
 * The permit of one blob reader. A reader whose caller pauses keeps its file open but releases its permit; otherwise a
 * few slow clients would block every other reader.
 */
export class ReadPermit {
  readonly #readers: ElasticSemaphore
  readonly #signal: AbortSignal | undefined
  #release: (() => void) | undefined

  private constructor(readers: ElasticSemaphore, signal: AbortSignal | undefined, release: () => void) {
    this.#readers = readers
    this.#signal = signal
    this.#release = release
  }

  /** Waits for a permit. */
  static async acquire(readers: ElasticSemaphore, signal: AbortSignal | undefined): Promise<ReadPermit> {
    return new ReadPermit(readers, signal, await readers.acquire(signal))
  }

  /** Passes chunks on and releases the permit while the caller pauses. */
  async *during<T>(pieces: AsyncIterable<T>): AsyncGenerator<T, void, undefined> {
    for await (const piece of pieces) {
      const timer = setTimeout(() => this.release(), PAUSE_MS).unref()
      try {
        yield piece
      } finally {
        clearTimeout(timer)
      }
      this.#release ??= await this.#readers.acquire(this.#signal)
    }
  }

  /** Releases the permit, if it is held. */
  release(): void {
    this.#release?.()
    this.#release = undefined
  }
}
