import { abortable } from '../../internal/abort.ts'

/** Bounds the memory that all blobs of a transfer together hold while they are on their way. First come, first served. */
export class ByteBudget {
  readonly #total: number
  #free: number
  readonly #waiting: { readonly bytes: number; readonly go: () => void }[] = []

  constructor(total: number) {
    this.#total = total
    this.#free = total
  }

  /** Waits for room; what is larger than the whole budget gets all of it. Gives what gives the room back. */
  async take(wanted: number, signal: AbortSignal | undefined): Promise<() => void> {
    const bytes = Math.min(wanted, this.#total)
    if (this.#waiting.length > 0 || bytes > this.#free) await this.#wait(bytes, signal)
    else this.#free -= bytes
    let given = false
    return () => {
      if (given) return
      given = true
      this.#free += bytes
      this.#serve()
    }
  }

  async #wait(bytes: number, signal: AbortSignal | undefined): Promise<void> {
    let go!: () => void
    let served = false
    const turn = new Promise<void>(resolve => {
      go = () => {
        served = true
        resolve()
      }
    })
    const one = { bytes, go }
    this.#waiting.push(one)
    try {
      await abortable(turn, signal)
    } catch (error) {
      if (served) this.#free += bytes
      else this.#waiting.splice(this.#waiting.indexOf(one), 1)
      this.#serve()
      throw error
    }
  }

  #serve(): void {
    for (let next = this.#waiting[0]; next && next.bytes <= this.#free; next = this.#waiting[0]) {
      this.#waiting.shift()
      this.#free -= next.bytes
      next.go()
    }
  }
}
