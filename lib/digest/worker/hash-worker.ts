import { Worker } from 'node:worker_threads'
import { HasherError } from '../../errors/index.ts'
import type { DigestAlgorithm } from '../digest.ts'
import type { HasherEngine } from '../engine.ts'
import { hashWasmCode } from './hash-wasm-code.ts'
import { HASH_WORKER_SOURCE } from './hash-worker-source.ts'

/** Message of a worker. */
type Answer =
  | { readonly id: number; readonly type: 'free'; readonly slots: readonly number[] }
  | { readonly id: number; readonly type: 'state'; readonly state: Uint8Array }
  | { readonly id: number; readonly type: 'hex'; readonly hex: string }
  | { readonly id: number; readonly type: 'failed'; readonly message: string }

/** Receives the answers for one stream. */
export interface AnswerTaker {
  take(answer: Answer): void
  /** The worker has ended or failed; no more answers will arrive. */
  fail(error: HasherError): void
}

/** Parameters of a stream. */
export interface StreamStart {
  readonly algorithm: DigestAlgorithm
  readonly engine: HasherEngine
  readonly state?: Uint8Array | undefined
  readonly ring: SharedArrayBuffer
  readonly slotBytes: number
  /** Number of slots that the worker releases with one message, unless it has no other work. */
  readonly freeTogether: number
  /** Shared counter of slots sent: it tells the worker whether more slots are waiting. */
  readonly sent: Int32Array
}

/** One thread that hashes any number of streams. It keeps the process alive only while a stream is open. */
export class HashWorker {
  readonly #worker: Worker
  readonly #takers = new Map<number, AnswerTaker>()
  readonly #onGone: () => void
  #nextId = 1
  #reserved = 0
  #state: 'starting' | 'ready' | 'gone' = 'starting'

  constructor(onGone: () => void) {
    this.#onGone = onGone
    this.#worker = new Worker(HASH_WORKER_SOURCE, { eval: true, execArgv: [], workerData: hasherCode() })
    this.#worker.on('message', answer => this.#answer(answer))
    this.#worker.on('error', cause => this.#gone(new HasherError('a hash worker crashed', { cause })))
    this.#worker.on('exit', code => this.#gone(new HasherError(`a hash worker ended with code ${code}`)))
    // NODE: a `message` listener refs the worker again.
    this.#worker.unref()
  }

  /** Number of streams that are open or reserved on this worker. */
  get load(): number {
    return this.#reserved
  }

  /** A worker that is `starting` answers late; a worker that is `gone` never answers. */
  get state(): 'starting' | 'ready' | 'gone' {
    return this.#state
  }

  /** Reserves capacity for a stream that will be opened here. Returns the function that cancels the reservation. */
  reserve(): () => void {
    this.#reserved++
    let kept = true
    return () => {
      if (kept) this.#reserved--
      kept = false
    }
  }

  open(start: StreamStart, taker: AnswerTaker): number {
    const id = this.#nextId++
    if (this.#takers.size === 0) this.#worker.ref()
    this.#takers.set(id, taker)
    this.#worker.postMessage({ type: 'open', id, ...start })
    return id
  }

  send(message: {
    readonly type: 'chunk' | 'save' | 'digest' | 'drop'
    readonly id: number
    slot?: number
    length?: number
  }) {
    this.#worker.postMessage(message)
  }

  close(id: number): void {
    this.#takers.delete(id)
    if (this.#takers.size === 0) this.#worker.unref()
  }

  async terminate(): Promise<void> {
    await this.#worker.terminate()
  }

  #answer(answer: Answer | { readonly type: 'ready'; readonly id: 0 }): void {
    if (answer.type === 'ready') {
      if (this.#state === 'starting') this.#state = 'ready'
      return
    }
    const taker = this.#takers.get(answer.id)
    if (answer.type === 'failed') taker?.fail(new HasherError(`a hash worker failed: ${answer.message}`))
    else taker?.take(answer)
  }

  #gone(error: HasherError): void {
    const takers = [...this.#takers.values()]
    this.#state = 'gone'
    this.#takers.clear()
    this.#onGone()
    for (const taker of takers) taker.fail(error)
  }
}

function hasherCode(): Record<DigestAlgorithm, { code: string; creator: string }> {
  return {
    sha256: { code: hashWasmCode('sha256'), creator: 'createSHA256' },
    sha512: { code: hashWasmCode('sha512'), creator: 'createSHA512' },
    blake3: { code: hashWasmCode('blake3'), creator: 'createBLAKE3' },
  }
}
