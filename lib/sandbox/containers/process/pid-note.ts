import { sleep } from '../../../internal/concurrency/sleep.ts'
import type { RunningProcess } from '../../executors/executor.ts'

const POLL_MS = 20

/** Notes the number of a process once it is known: programs that start it come first. */
export class PidNote {
  readonly #write: (pid: number) => Promise<void>
  readonly #stop = new AbortController()
  #noting: Promise<void> = Promise.resolve()

  constructor(write: (pid: number) => Promise<void>) {
    this.#write = write
  }

  begin(running: RunningProcess, onStart: ((running: RunningProcess) => void) | undefined): void {
    // The end of the process ends the wait too.
    this.#noting = this.#note(running).catch(() => undefined)
    onStart?.(running)
  }

  async #note(running: RunningProcess): Promise<void> {
    let pid = running.pid?.()
    for (; running.pid && pid === undefined; pid = running.pid()) await sleep(POLL_MS, this.#stop.signal)
    if (pid !== undefined && !this.#stop.signal.aborted) await this.#write(pid)
  }

  /** Resolves when nothing is written any more. */
  async end(): Promise<void> {
    this.#stop.abort()
    await this.#noting
  }
}
