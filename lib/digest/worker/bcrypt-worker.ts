import { Worker } from 'node:worker_threads'
import { HasherError } from '../../errors/index.ts'
import { BCRYPT_WORKER_SOURCE } from './bcrypt-worker-source.ts'
import { hashWasmCode } from './hash-wasm-code.ts'

/**
 * PERF: nice value of the thread. Under load it gets a tenth of the processor time of the threads that transfer bytes;
 * on an idle processor it gets all of it.
 */
const NICE = 10

/** An idle thread ends after this time; the next check starts another one. */
const IDLE_MS = 60_000

type Answer =
  | { readonly id: number; readonly isRight: boolean }
  | { readonly id: number; readonly message: string; readonly isRight?: undefined }

interface Asked {
  readonly resolve: (isRight: boolean) => void
  readonly reject: (error: HasherError) => void
}

/** A worker thread that checks passwords, one after the other. It keeps the process alive only while a check runs. */
export class BcryptWorker {
  readonly #worker: Worker
  readonly #asked = new Map<number, Asked>()
  readonly #onGone: () => void
  #nextId = 1
  #idle: NodeJS.Timeout | undefined

  /** Calls `onGone` when the thread has ended. */
  constructor(onGone: () => void) {
    this.#onGone = onGone
    const workerData = { code: hashWasmCode('bcrypt'), nice: NICE }
    this.#worker = new Worker(BCRYPT_WORKER_SOURCE, { eval: true, execArgv: [], workerData })
    this.#worker.on('message', (answer: Answer) => this.#answer(answer))
    this.#worker.on('error', cause => this.#gone(new HasherError('the password worker crashed', { cause })))
    this.#worker.on('exit', code => this.#gone(new HasherError(`the password worker ended with code ${code}`)))
    this.#worker.unref()
  }

  /** Whether a password matches a bcrypt hash. Rejects with `ERR_HASHER` if the thread fails. */
  verify(password: string, hash: string): Promise<boolean> {
    return new Promise((resolve, reject) => {
      const id = this.#nextId++
      if (this.#asked.size === 0) this.#worker.ref()
      clearTimeout(this.#idle)
      this.#asked.set(id, { resolve, reject })
      this.#worker.postMessage({ id, password, hash })
    })
  }

  /** Ends the thread. The running check rejects. */
  async terminate(): Promise<void> {
    this.#onGone()
    await this.#worker.terminate()
  }

  #rest(): void {
    this.#worker.unref()
    this.#idle = setTimeout(() => void this.terminate(), IDLE_MS).unref()
  }

  #answer(answer: Answer): void {
    const asked = this.#asked.get(answer.id)
    this.#asked.delete(answer.id)
    if (this.#asked.size === 0) this.#rest()
    if (answer.isRight === undefined) asked?.reject(new HasherError(`the password worker failed: ${answer.message}`))
    else asked?.resolve(answer.isRight)
  }

  #gone(error: HasherError): void {
    clearTimeout(this.#idle)
    this.#onGone()
    const asked = [...this.#asked.values()]
    this.#asked.clear()
    for (const { reject } of asked) reject(error)
  }
}
