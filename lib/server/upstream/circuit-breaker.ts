import { RegistryError } from '../../errors/index.ts'

/** The upstream registry is asked nothing for so long after it has failed. */
const OPEN_MS = 5000

/**
 * Keeps requests away from an upstream registry that does not work: each of them would wait for its own time-out.
 *
 * SAFETY: one repository must not be able to keep the mirror from all others. So only what says something about the host
 * opens the breaker; 401, 403, 404 or a page of HTML are answers about one repository.
 */
export class CircuitBreaker {
  #open: { readonly until: number; readonly because: unknown } | undefined

  /** Does the work, or throws the last failure of the host if that was less than five seconds ago. */
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

/** No answer, an answer of 500 and more, or the wish to be asked less. */
function isFailureOfHost(error: unknown): boolean {
  if (!(error instanceof RegistryError)) return false
  return error.code === 'ERR_NETWORK' || error.code === 'ERR_RATE_LIMITED' || (error.status ?? 0) >= 500
}
