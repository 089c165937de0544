import { abortable } from '../abort.ts'

interface Waiter {
  readonly permits: number
  readonly grant: () => void
}

/**
 * A counting semaphore: hands out a fixed number of permits, first come, first served. A caller that asks for many
 * permits is not overtaken by later callers that ask for few.
 */
export class Semaphore {
  readonly #total: number
  #available: number
  readonly #waiters: Waiter[] = []

  constructor(permits: number) {
    this.#total = permits
    this.#available = permits
  }

  /** Whether {@link acquire} of one permit would resolve without waiting. */
  get hasRoom(): boolean {
    return this.#waiters.length === 0 && this.#available > 0
  }

  /**
   * Waits for permits and resolves to the function that releases them; further calls of that function do nothing. A
   * caller that asks for more permits than there are gets all of them. Rejects with the signal's reason.
   */
  async acquire(signal?: AbortSignal, wanted = 1): Promise<() => void> {
    signal?.throwIfAborted()
    const permits = Math.min(wanted, this.#total)
    if (this.#waiters.length > 0 || permits > this.#available) await this.#wait(permits, signal)
    else this.#available -= permits
    let released = false
    return () => {
      if (released) return
      released = true
      this.#release(permits)
    }
  }

  async #wait(permits: number, signal: AbortSignal | undefined): Promise<void> {
    let granted = false
    let waiter!: Waiter
    const turn = new Promise<void>(resolve => {
      const grant = () => {
        granted = true
        resolve()
      }
      waiter = { permits, grant }
    })
    this.#waiters.push(waiter)
    try {
      await abortable(turn, signal)
    } catch (error) {
      // The permits may have been granted in the same turn of the event loop in which the signal fired.
      if (granted) this.#release(permits)
      else this.#forget(waiter)
      throw error
    }
  }

  #forget(waiter: Waiter): void {
    this.#waiters.splice(this.#waiters.indexOf(waiter), 1)
    this.#grantNext()
  }

  #release(permits: number): void {
    this.#available += permits
    this.#grantNext()
  }

  #grantNext(): void {
    for (let next = this.#waiters[0]; next && next.permits <= this.#available; next = this.#waiters[0]) {
      this.#waiters.shift()
      this.#available -= next.permits
      next.grant()
    }
  }
}
