import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'

/** Output of one run under a fault, and whether a signal killed it. */
export interface FaultyRun {
  readonly said: readonly string[]
  readonly killed: boolean
}

/** A process that works on one store after another, each time with one system call that strace makes fail. */
export class StraceWorker {
  readonly #child: ChildProcess
  readonly #closed: Promise<unknown>
  #lines: string[] = []
  #heard: () => void = () => undefined
  #dead = false

  /** One thread for file system calls: then the n-th call is the same one each time. */
  constructor(program: string, warmUp: string) {
    this.#child = spawn(process.execPath, [program, warmUp], {
      stdio: ['pipe', 'pipe', 'inherit'],
      env: { ...process.env, UV_THREADPOOL_SIZE: '1' },
    })
    this.#child.stdin?.on('error', () => undefined)
    createInterface({ input: this.#child.stdout! }).on('line', line => {
      this.#lines.push(line)
      this.#heard()
    })
    this.#closed = once(this.#child, 'close').then(() => {
      this.#dead = true
      this.#heard()
    })
  }

  async #until(isEnough: () => boolean): Promise<void> {
    while (!isEnough() && !this.#dead) await new Promise<void>(resolve => (this.#heard = resolve))
  }

  /** Does the work (a directory, an act) while strace applies `what` to the n-th use of a system call. */
  async run(work: string, call: string, what: string, n: number, log = '/dev/null'): Promise<FaultyRun> {
    await this.#until(() => this.#lines.includes('ready'))
    this.#lines = ['ready']
    const args = ['-f', '-p', String(this.#child.pid), '-o', log, '-e', `trace=${call}`]
    const strace = spawn('strace', [...args, '-e', `inject=${call}:${what}:when=${n}`], {
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    const ended = once(strace, 'close')
    // Reads stderr to its end: strace reports every new thread there, and a closed pipe would end it.
    let words = ''
    await new Promise<void>(resolve => {
      strace.stderr.on('data', chunk => {
        words += chunk
        if (words.includes('attached')) resolve()
      })
      strace.once('close', () => resolve())
    })
    this.#child.stdin?.write(`${work}\n`)
    await this.#until(() => this.#lines.includes('done'))
    strace.kill('SIGTERM')
    await ended
    return { said: this.#lines, killed: this.#dead }
  }

  async end(): Promise<void> {
    this.#child.kill('SIGKILL')
    await this.#closed
  }
}
