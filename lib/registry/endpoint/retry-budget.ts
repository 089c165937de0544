import { RegistryError } from '../../errors/index.ts'
import { isErrno } from '../../internal/errno.ts'

/** Options for retries of transient failures. */
export interface RetryOptions {
  /** Tries in a row without progress, including the first. @defaultValue `5` */
  readonly tries?: number | undefined
  /**
   * Upper bound of the first pause in milliseconds; it doubles for each further one. The pause is random below the
   * bound. @defaultValue `500`
   */
  readonly baseDelayMs?: number | undefined
  /** Upper bound of every pause in milliseconds. @defaultValue `30_000` */
  readonly maxDelayMs?: number | undefined
  /**
   * Longest `Retry-After` in milliseconds that the client waits for. A longer one fails at once, with `retryAfterMs` in
   * the error: a request before that time makes some registries refuse longer. @defaultValue `60_000`
   */
  readonly maxRetryAfterMs?: number | undefined
}

/**
 * Codes of hosts that accept no connection. The client tries only twice: a server that is starting gets a second
 * chance, and the user soon sees the error.
 */
const UNREACHABLE = ['ECONNREFUSED', 'EHOSTUNREACH', 'ENETUNREACH', 'ENETDOWN', 'EAI_AGAIN']
const TRIES_IF_UNREACHABLE = 2
const DEFAULT_TRIES = 5

/** Counts the failures of one piece of work and returns the pause before each retry. */
export class RetryBudget {
  readonly #options: RetryOptions
  #failures = 0

  constructor(options: RetryOptions) {
    this.#options = options
  }

  /** Tries in a row without progress, including the first. */
  get tries(): number {
    return this.#options.tries ?? DEFAULT_TRIES
  }

  /** Returns the pause in milliseconds before the next try; `undefined` if there is no further try. */
  pauseAfter(error: unknown): number | undefined {
    if (!(error instanceof RegistryError) || !error.retryable) return undefined
    this.#failures++
    const { tries } = this
    const { baseDelayMs = 500, maxDelayMs = 30_000, maxRetryAfterMs = 60_000 } = this.#options
    if (this.#failures >= (isUnreachable(error) ? Math.min(tries, TRIES_IF_UNREACHABLE) : tries)) return undefined
    // Full jitter: clients that failed together do not retry together.
    const pause = Math.random() * Math.min(maxDelayMs, baseDelayMs * 2 ** (this.#failures - 1))
    if (error.retryAfterMs === undefined) return pause
    return error.retryAfterMs > maxRetryAfterMs ? undefined : error.retryAfterMs + Math.min(pause, 1000)
  }

  /** Records progress: earlier failures no longer count. */
  progressed(): void {
    this.#failures = 0
  }
}

function isUnreachable(error: RegistryError): boolean {
  if (isErrno(error.cause, ...UNREACHABLE)) return true
  return isErrno(error.cause, 'ETIMEDOUT') && error.cause.syscall === 'connect'
}
