import { Condition } from '../../../internal/concurrency/condition.ts'

/** Bytes between two reports. */
const REPORT_BYTES = 1024 * 1024
/** Longest time that moved bytes wait for more before they are reported. */
const REPORT_MS = 50
/**
 * Bytes that may be written before the calling thread counts them. SAFETY: the calling thread decides when the file is
 * synced and when a transfer must wait for the disk. Without a bound, a fast network would fill the system's memory
 * meanwhile, and a killed process would lose more than a store promises.
 */
const MOST_UNCOUNTED = 1.5 * 1024 * 1024

/** Reports the progress of a file to the calling thread, and waits if that falls behind. At most one report is open. */
export class Pace {
  readonly #report: (position: number) => void
  readonly #changed = new Condition()
  #position: number
  #reported: number
  #counted: number
  #timer: NodeJS.Timeout | undefined
  #over = false

  constructor(start: number, report: (position: number) => void) {
    this.#report = report
    this.#position = this.#reported = this.#counted = start
  }

  /** Called after each write. Resolves when the next bytes may be written. */
  async moved(position: number): Promise<void> {
    this.#position = position
    this.#tell()
    while (!this.#over && position - this.#counted > MOST_UNCOUNTED) await this.#changed.wait()
  }

  /** The calling thread has counted the bytes up to a position. */
  counted(position: number): void {
    this.#counted = position
    this.#changed.notify()
    this.#tell()
  }

  /** Ends the reports and every wait. */
  end(): void {
    this.#over = true
    clearTimeout(this.#timer)
    this.#changed.notify()
  }

  #tell(): void {
    const isOpen = this.#reported > this.#counted
    if (this.#over || isOpen || this.#position === this.#reported) return
    if (this.#position - this.#reported >= REPORT_BYTES) this.#send()
    else this.#timer ??= setTimeout(() => this.#send(), REPORT_MS)
  }

  #send(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#reported = this.#position
    this.#report(this.#position)
  }
}
