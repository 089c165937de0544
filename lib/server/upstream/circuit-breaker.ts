import { RegistryError } from '../../errors/index.ts'

/** Time after a failure during which the upstream registry is not asked. */
const OPEN_MS = 5000

/**
 * Circuit breaker for the upstream registry: without it every request to a failed host would wait for its own time-out.
 *
 * SAFETY: a client chooses the repository. If the answer for one repository could open the breaker, a client could
 * block the mirror for all repositories. So only failures of the host open it; 401, 403, 404 or a page of HTML concern
 * one repository.
 */
export class CircuitBreaker {
  #open: { readonly until: number; readonly because: unknown } | undefined

  /** Runs `work`, or throws the last failure of the host if it is less than five seconds old. */
  async guard<T>(work: () => Promise<T>): Promise<T> {
    if (this.#open && performance.now() < this.#open.until) throw this.#open.because
    try {
      return await work()
    } catch (error) {
      if (isFailureOfHost(error)) this.#open = { until: performance.now() + OPEN_MS, because: error }
      throw error
    }
  }
}

/** Whether an error is a failure of the host: no answer, 429, or a status of 500 and above. */
function isFailureOfHost(error: unknown): boolean {
  if (!(error instanceof RegistryError)) return false
  return error.code === 'ERR_NETWORK' || error.code === 'ERR_RATE_LIMITED' || (error.status ?? 0) >= 500
}
