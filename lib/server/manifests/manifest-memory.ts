import { Semaphore } from '../../internal/concurrency/semaphore.ts'
import { Fault } from '../fault.ts'

/** Largest manifest that counts as small; small manifests have reserved memory and never wait for large ones. */
const SMALL_BYTES = 256 * 1024
/** Share of the memory that is reserved for small manifests. */
const SMALL_SHARE = 1 / 4
/** Requests that may wait for memory; further ones are answered with 429. */
const MAX_WAITING = 1000

/** Semaphore for the bytes of all manifests that requests hold in memory. */
export class ManifestMemory {
  readonly #small: Semaphore
  readonly #large: Semaphore
  #waiting = 0

  constructor(bytes: number) {
    this.#small = new Semaphore(Math.ceil(bytes * SMALL_SHARE))
    this.#large = new Semaphore(Math.ceil(bytes * (1 - SMALL_SHARE)))
  }

  /**
   * Waits for the memory of a manifest, and holds it while `work` runs.
   *
   * @throws {@link Fault} 429 if too many requests wait; the signal's reason if it fires while waiting; the error of
   * `work`.
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
      const tooMany = {
        code: 'TOOMANYREQUESTS',
        message: 'too many manifests are waiting for memory; retry later',
      } as const
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
