import { readFileSync } from 'node:fs'
import { constants } from 'node:os'
import { sleep } from '../../internal/concurrency/sleep.ts'
import type { RunningProcess } from '../../sandbox/index.ts'
import type { ExitCode } from '../failing/exit-code.ts'
import type { Terminal } from '../printing/terminal.ts'

/** Signals whose default action ends a process. */
const ENDING = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT', 'SIGUSR1', 'SIGUSR2']
const POLL_MS = 20
/** Time that a signal waits for the number of the process. */
const LONGEST_WAIT_MS = 3000

/**
 * Passes the signals of this process on to that of a container.
 *
 * A process that is the first of its namespace, as that of a container, gets no signal that it does not handle: Ctrl-C
 * would have no effect on `sleep`. Such a signal kills it here, as it would outside of a container.
 */
export class PassedSignals implements Disposable {
  readonly #taken: Disposable | undefined
  #running: RunningProcess | undefined
  #before: NodeJS.Signals | undefined
  #killedBy: NodeJS.Signals | undefined
  readonly #end = new AbortController()
  #isWaiting = false

  constructor({ takeSignals }: Terminal) {
    this.#taken = takeSignals?.(name => this.#pass(name))
  }

  /** Is called when the process has been started. */
  readonly onStart = (running: RunningProcess): void => {
    this.#running = running
    if (this.#before) this.#pass(this.#before)
  }

  /** Exit code of the process: 128 and the number of the signal that has killed it. */
  readonly exitCodeOf = (code: ExitCode): ExitCode =>
    this.#killedBy === undefined ? code : 128 + constants.signals[this.#killedBy]

  #pass(name: NodeJS.Signals): void {
    if (!this.#running) {
      if (ENDING.includes(name)) this.#before = name
      return
    }
    if (!ENDING.includes(name)) {
      this.#running.kill(name)
      return
    }
    const pid = this.#running.pid?.()
    // A second signal does not wait.
    if (pid === undefined && this.#running.pid && !this.#isWaiting) void this.#passLater(name, this.#running)
    else this.#passTo(this.#running, pid, name)
  }

  /**
   * Passes a signal on once the number of the process is known. Another process may start it, and tells the number a
   * moment after the first output.
   */
  async #passLater(name: NodeJS.Signals, running: RunningProcess): Promise<void> {
    this.#isWaiting = true
    let pid = running.pid?.()
    for (let waited = 0; pid === undefined && waited < LONGEST_WAIT_MS; waited += POLL_MS) {
      await sleep(POLL_MS, this.#end.signal).catch(() => undefined)
      if (this.#end.signal.aborted) return
      pid = running.pid?.()
    }
    this.#isWaiting = false
    this.#passTo(running, pid, name)
  }

  #passTo(running: RunningProcess, pid: number | undefined, name: NodeJS.Signals): void {
    if (pid !== undefined && handles(pid, constants.signals[name])) running.kill(name)
    else {
      this.#killedBy ??= name
      running.kill('SIGKILL')
    }
  }

  [Symbol.dispose](): void {
    this.#end.abort()
    this.#taken?.[Symbol.dispose]()
  }
}

/** Whether a process has a handler for a signal, or ignores it. */
function handles(pid: number, number: number): boolean {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8')
    const masks = [...status.matchAll(/^Sig(?:Cgt|Ign):\s*([0-9a-f]+)$/gm)].map(match => BigInt(`0x${match[1]}`))
    return masks.some(mask => (mask >> BigInt(number - 1)) & 1n)
  } catch {
    return true
  }
}
