import { Semaphore } from '../../internal/concurrency/semaphore.ts'
import { Fault } from '../fault.ts'

/** Manifests of this size and below have memory of their own, so that large ones never keep them waiting. */
const SMALL_BYTES = 256 * 1024
/** The share of the memory that small manifests have. */
const SMALL_SHARE = 1 / 4
/** Requests that wait for memory. */
const MAX_WAITING = 1000

/** Bounds the bytes of the manifests that are in memory at once, of all requests. */
export class ManifestMemory {
  readonly #small: Semaphore
  readonly #large: Semaphore
  #waiting = 0

  constructor(bytes: number) {
    this.#small = new Semaphore(Math.ceil(bytes * SMALL_SHARE))
    this.#large = new Semaphore(Math.ceil(bytes * (1 - SMALL_SHARE)))
  }

  /**
   * Waits until there is memory for a manifest of so many bytes, and holds it while `work` runs.
   *
   * @throws {@link Fault} 429 if too many requests wait; the signal's reason while it waits; what `work` throws.
   */
  async during<T>(bytes: number, signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    const release = await this.#acquire(bytes, signal)
    try {
      return await work()
    } finally {
      release()
    }
  }

  async #acquire(bytes: number, signal: AbortSignal): Promise<() => void> {
    if (this.#waiting >= MAX_WAITING) {
      const tooMany = { code: 'TOOMANYREQUESTS', message: 'too many manifests are being worked on' } as const
      throw new Fault(429, tooMany, { 'Retry-After': '5' })
    }
    this.#waiting++
    try {
      return await (bytes <= SMALL_BYTES ? this.#small : this.#large).acquire(signal, bytes)
    } finally {
      this.#waiting--
    }
  }
}
