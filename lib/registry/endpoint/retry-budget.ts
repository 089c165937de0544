import { RegistryError } from '../../errors/index.ts'
import { isErrno } from '../../internal/errno.ts'

/** How failures that may pass are met. */
export interface RetryOptions {
  /** Tries in a row without progress, the first included. @defaultValue `5` */
  readonly tries?: number | undefined
  /** Upper bound of the first pause; doubled for every further one. The pause is drawn below it. @defaultValue `500` */
  readonly baseDelayMs?: number | undefined
  /** Upper bound of every pause. @defaultValue `30_000` */
  readonly maxDelayMs?: number | undefined
  /**
   * The longest `Retry-After` that is waited for. A longer one fails at once, with `retryAfterMs` in the error: asking
   * earlier than a registry wishes makes it refuse longer. @defaultValue `60_000`
   */
  readonly maxRetryAfterMs?: number | undefined
}

/** Nobody is there, or not yet: people are told soon, and a program that has just been started gets a second chance. */
const UNREACHABLE = ['ECONNREFUSED', 'EHOSTUNREACH', 'ENETUNREACH', 'ENETDOWN', 'EAI_AGAIN']
const TRIES_IF_UNREACHABLE = 2
const DEFAULT_TRIES = 5

/** Counts the failures of one piece of work and says after which pause it may be tried again. */
export class RetryBudget {
  readonly #options: RetryOptions
  #failures = 0

  constructor(options: RetryOptions) {
    this.#options = options
  }

  /** Tries in a row without progress, the first included. */
  get tries(): number {
    return this.#options.tries ?? DEFAULT_TRIES
  }

  /** The pause in milliseconds before the next try; `undefined` if there must be none. */
  pauseAfter(error: unknown): number | undefined {
    if (!(error instanceof RegistryError) || !error.retryable) return undefined
    this.#failures++
    const { tries } = this
    const { baseDelayMs = 500, maxDelayMs = 30_000, maxRetryAfterMs = 60_000 } = this.#options
    if (this.#failures >= (isUnreachable(error) ? Math.min(tries, TRIES_IF_UNREACHABLE) : tries)) return undefined
    // Full jitter: clients that failed together do not come back together.
    const pause = Math.random() * Math.min(maxDelayMs, baseDelayMs * 2 ** (this.#failures - 1))
    if (error.retryAfterMs === undefined) return pause
    return error.retryAfterMs > maxRetryAfterMs ? undefined : error.retryAfterMs + Math.min(pause, 1000)
  }

  /** Something was achieved: failures before it no longer count. */
  progressed(): void {
    this.#failures = 0
  }
}

function isUnreachable(error: RegistryError): boolean {
  if (isErrno(error.cause, ...UNREACHABLE)) return true
  return isErrno(error.cause, 'ETIMEDOUT') && error.cause.syscall === 'connect'
}
