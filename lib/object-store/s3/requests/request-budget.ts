import { BucketError } from '../../../errors/index.ts'

/** Options for retries of transient failures. */
export interface BucketRetryOptions {
  /** Tries of one request, including the first. @defaultValue `8`, which is about 12 seconds */
  readonly tries?: number | undefined
  /**
   * Upper bound of the first pause in milliseconds; it doubles for each further one. The pause is random below the
   * bound. @defaultValue `200`
   */
  readonly baseDelayMs?: number | undefined
  /** Upper bound of every pause in milliseconds. @defaultValue `10_000` */
  readonly maxDelayMs?: number | undefined
  /** Longest `Retry-After` in milliseconds that is waited for; a longer one fails at once. @defaultValue `30_000` */
  readonly maxRetryAfterMs?: number | undefined
}

/** Counts the failures of one request and returns the pause before each retry. */
export class RequestBudget {
  readonly #options: BucketRetryOptions
  #failures = 0

  constructor(options: BucketRetryOptions) {
    this.#options = options
  }

  /** Returns the pause in milliseconds before the next try; `undefined` if there is no further try. */
  pauseAfter(error: unknown): number | undefined {
    if (!(error instanceof BucketError) || !error.retryable) return undefined
    const { tries = 8, baseDelayMs = 200, maxDelayMs = 10_000, maxRetryAfterMs = 30_000 } = this.#options
    if (++this.#failures >= tries) return undefined
    // Full jitter: clients that failed together do not retry together.
    const pause = Math.random() * Math.min(maxDelayMs, baseDelayMs * 2 ** (this.#failures - 1))
    const { retryAfterMs = 0 } = error
    return retryAfterMs > maxRetryAfterMs ? undefined : retryAfterMs + pause
  }

  /** Records progress: earlier failures no longer count. */
  progressed(): void {
    this.#failures = 0
  }
}
