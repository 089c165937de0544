import type { Pack } from 'tar-stream'
import { Condition } from '../../internal/concurrency/condition.ts'

/** What becomes of a pack: who reads waits here for bytes, who writes for room. */
export class PackFlow {
  readonly #pack: Pack
  #isFull = false
  #ended = false
  #error: Error | undefined
  readonly #readable = new Condition()
  readonly #writable = new Condition()

  constructor(pack: Pack) {
    this.#pack = pack
    pack.on('readable', () => this.#readable.notify())
    pack.on('end', () => {
      this.#ended = true
    })
    // Without a listener a failure would end the process.
    pack.on('error', error => {
      this.#error = error
    })
    pack.on('close', () => {
      this.#readable.notify()
      this.#writable.notify()
    })
  }

  /** Gives bytes to whoever reads. */
  push(bytes: Uint8Array): void {
    this.#isFull = !this.#pack.push(bytes)
  }

  /** Whether more should wait for {@link room}. */
  get isFull(): boolean {
    return this.#isFull && !this.#pack.destroying
  }

  /** Resolves when all has been taken, or nothing will be any more. */
  async room(): Promise<void> {
    while (this.isFull) {
      await this.#writable.wait()
    }
  }

  /** What is there now. PERF: no promise for each of the three parts of an entry. */
  read(): Uint8Array | undefined {
    const chunk = this.#pack.read() as Uint8Array | null
    if (chunk) return chunk
    this.#isFull = false
    this.#writable.notify()
    return undefined
  }

  /** Waits for more; `false` when the archive is complete. Rejects if the pack was destroyed before. */
  async more(): Promise<boolean> {
    if (!this.#pack.destroyed) {
      await this.#readable.wait()
      return true
    }
    if (!this.#ended) throw this.#error ?? new Error('the pack was destroyed')
    return false
  }
}
