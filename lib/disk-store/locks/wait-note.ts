import type { StoreEvent } from '../../store/index.ts'
import { adviseOn, type Owner } from './owner.ts'

/** A wait that takes longer than this is told to `onEvent`. */
const NOTED_WAIT_MS = 2000

/** Whom to tell of a wait that takes long. */
export interface WaitOptions {
  /** How events name the lock: its path relative to the store. */
  readonly lock?: string | undefined
  /** Called when the wait takes longer than two seconds, and again when the lock is taken. Must not throw. */
  readonly onEvent?: ((event: StoreEvent) => void) | undefined
}

/** Tells of a wait that takes long. */
export class WaitNote {
  readonly #options: WaitOptions
  readonly #beganMs = performance.now()
  #isTold = false

  constructor(options: WaitOptions) {
    this.#options = options
  }

  /** Called at each try that finds the lock held. */
  async waitFor(holder: string, owner: Owner | undefined): Promise<void> {
    const { lock = '', onEvent } = this.#options
    if (this.#isTold || !onEvent || performance.now() - this.#beganMs < NOTED_WAIT_MS) return
    this.#isTold = true
    const advice = await adviseOn(owner)
    onEvent({ type: 'waiting', lock, holder, advice, message: `waiting for ${lock}, held by ${holder}: ${advice}` })
  }

  /** Called when the lock is taken. */
  end(): void {
    const { lock = '', onEvent } = this.#options
    if (this.#isTold) onEvent?.({ type: 'waited', lock })
  }
}
