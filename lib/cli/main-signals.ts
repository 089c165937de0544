/** Signals that end a process that does not handle them, and that a shell or a service manager sends. */
const PASSED = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT', 'SIGUSR1', 'SIGUSR2', 'SIGWINCH', 'SIGCONT'] as const

/** The signals of this process: the first SIGINT or SIGTERM stops the command, unless the command takes them. */
export class ProcessSignals {
  readonly #stop: AbortController
  #listener: ((name: NodeJS.Signals) => void) | undefined

  constructor(stop: AbortController) {
    this.#stop = stop
    // A second one ends this process at once, as without a handler.
    for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, this.#onStop)
  }

  readonly #onStop = (name: NodeJS.Signals) => {
    if (!this.#listener) this.#stop.abort(new Error(name))
  }

  readonly take = (listener: (name: NodeJS.Signals) => void): Disposable => {
    this.#listener = listener
    for (const name of PASSED) process.on(name, listener)
    return {
      [Symbol.dispose]: () => {
        this.#listener = undefined
        for (const name of PASSED) process.off(name, listener)
      },
    }
  }
}
