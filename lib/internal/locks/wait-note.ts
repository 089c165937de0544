import { adviseOn, type Owner } from './owner.ts'

/** Time after which a wait is reported to `onEvent`. */
const NOTED_WAIT_MS = 2000

/** Beginning or end of a long wait; `StoreEvent` of the room `store` documents the members. */
export type LockEvent =
  | {
      readonly type: 'waiting'
      readonly lock: string
      readonly holder: string
      readonly advice: string
      readonly message: string
    }
  | { readonly type: 'waited'; readonly lock: string }

/** Options to report a long wait. */
export interface WaitOptions {
  /** Name of the lock in events: its path relative to the store. */
  readonly lock?: string | undefined
  /** Called when a wait exceeds two seconds, and again when the lock is acquired. Must not throw. */
  readonly onEvent?: ((event: LockEvent) => void) | undefined
}

/** Reports one long wait. */
export class WaitNote {
  readonly #options: WaitOptions
  readonly #beganMs = performance.now()
  #isTold = false

  constructor(options: WaitOptions) {
    this.#options = options
  }

  /** Called at each attempt that finds the lock held. */
  async waitFor(holder: string, owner: Owner | undefined): Promise<void> {
    const { lock = '', onEvent } = this.#options
    if (this.#isTold || !onEvent || performance.now() - this.#beganMs < NOTED_WAIT_MS) return
    this.#isTold = true
    const advice = await adviseOn(owner)
    onEvent({ type: 'waiting', lock, holder, advice, message: `waiting for ${lock}, held by ${holder}: ${advice}` })
  }

  /** Called when the lock is acquired. */
  end(): void {
    const { lock = '', onEvent } = this.#options
    if (this.#isTold) onEvent?.({ type: 'waited', lock })
  }
}
