/**
 * A condition variable for one waiter: `wait` resolves at the next `notify`. A notification without a waiter is lost,
 * so the caller checks its own state before it waits, and again afterwards.
 */
export class Condition {
  #wake: (() => void) | undefined

  /** Whether a caller waits now. */
  get isAwaited(): boolean {
    return this.#wake !== undefined
  }

  /** Resolves at the next {@link notify}. Only one caller may wait at a time. */
  wait(): Promise<void> {
    return new Promise(resolve => {
      this.#wake = resolve
    })
  }

  /** Wakes the waiter, if there is one. */
  notify(): void {
    const wake = this.#wake
    this.#wake = undefined
    wake?.()
  }
}
