import type { Pack } from 'tar-stream'
import { Condition } from '../../internal/concurrency/condition.ts'

/** Flow control of a pack: its reader waits here for bytes, its writer for room. */
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
    // Without a listener, an error event would end the process.
    pack.on('error', error => {
      this.#error = error
    })
    pack.on('close', () => {
      this.#readable.notify()
      this.#writable.notify()
    })
  }

  /** Pushes bytes to the reader. */
  push(bytes: Uint8Array): void {
    this.#isFull = !this.#pack.push(bytes)
  }

  /** True if the writer should wait for {@link room}. */
  get isFull(): boolean {
    return this.#isFull && !this.#pack.destroying
  }

  /** Resolves when the reader has taken all bytes, or the pack is destroyed. */
  async room(): Promise<void> {
    while (this.isFull) {
      await this.#writable.wait()
    }
  }

  /** Returns the available bytes. PERF: synchronous, so that the three parts of an entry need no promise each. */
  read(): Uint8Array | undefined {
    const chunk = this.#pack.read() as Uint8Array | null
    if (chunk) return chunk
    this.#isFull = false
    this.#writable.notify()
    return undefined
  }

  /** Waits for more bytes; `false` when the archive is complete. Rejects if the pack was destroyed before. */
  async more(): Promise<boolean> {
    if (!this.#pack.destroyed) {
      await this.#readable.wait()
      return true
    }
    if (!this.#ended) throw this.#error ?? new Error('the pack was destroyed')
    return false
  }
}
