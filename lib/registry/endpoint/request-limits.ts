import { Semaphore } from '../../internal/concurrency/semaphore.ts'

/** Kind of a request's transfer. The client bounds the number of concurrent requests of each kind. */
export type RequestKind = 'download' | 'upload' | 'document'

/**
 * Bounds the concurrent requests to one registry: `concurrency` downloads and as many uploads. A document (a manifest,
 * a list, a status request) uses a free download permit or one permit of its own, so it never waits for blobs.
 *
 * Uploads and downloads are counted apart because an upload may be fed by a download from the same registry: with one
 * count, uploads could hold every permit that their own sources wait for.
 */
export class RequestLimits {
  readonly #downloads: Semaphore
  readonly #uploads: Semaphore
  readonly #documents = new Semaphore(1)

  constructor(concurrency: number) {
    this.#downloads = new Semaphore(concurrency)
    this.#uploads = new Semaphore(concurrency)
  }

  /** Waits for a permit and resolves to the function that releases it. Rejects with the signal's reason. */
  acquire(kind: RequestKind, signal: AbortSignal | undefined): Promise<() => void> {
    return this.#semaphoreOf(kind).acquire(signal)
  }

  #semaphoreOf(kind: RequestKind): Semaphore {
    if (kind === 'upload') return this.#uploads
    return kind === 'download' || this.#downloads.hasRoom ? this.#downloads : this.#documents
  }
}
