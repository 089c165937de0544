import { FormatError, type HasherError } from '../../errors/index.ts'
import { Condition } from '../../internal/concurrency/condition.ts'
import type { DigestAlgorithm } from '../digest.ts'
import type { HasherEngine } from '../engine.ts'
import type { AnswerTaker, HashWorker } from './hash-worker.ts'

/** PERF: smaller slots cost more in messages, larger slots cost more in waiting; see rationale.md. */
const SLOT_BYTES = 512 * 1024
const SLOTS = 4
/** Number of idle rings kept for later streams. */
const KEPT_RINGS = 4

const rings: SharedArrayBuffer[] = []

/**
 * The hash of one stream, computed by a worker. Copies chunks into slots of shared memory, several small chunks into
 * one slot; holds 2 MiB.
 */
export class WorkerHash implements AnswerTaker {
  readonly #worker: HashWorker
  readonly #id: number
  readonly #ring: SharedArrayBuffer
  readonly #bytes: Uint8Array
  readonly #free = Array.from({ length: SLOTS }, (_, slot) => slot)
  /** The slot being filled, and the number of bytes in it. */
  #slot: number | undefined
  #filled = 0
  readonly #sent = new Int32Array(new SharedArrayBuffer(4))
  #failure: HasherError | undefined
  readonly #changed = new Condition()
  /** Unanswered questions; a worker answers in the order of the questions. */
  readonly #asked: { resolve: (value: never) => void; reject: (error: HasherError) => void }[] = []
  #closed = false

  constructor(worker: HashWorker, algorithm: DigestAlgorithm, engine: HasherEngine, state?: Uint8Array) {
    this.#worker = worker
    this.#ring = rings.pop() ?? new SharedArrayBuffer(SLOT_BYTES * SLOTS)
    this.#bytes = new Uint8Array(this.#ring)
    const slots = { ring: this.#ring, slotBytes: SLOT_BYTES, freeTogether: SLOTS / 2, sent: this.#sent }
    this.#id = worker.open({ algorithm, engine, state, ...slots }, this)
  }

  /** Copies bytes into the ring. Waits for the worker if the ring is full. */
  async update(chunk: Uint8Array): Promise<void> {
    this.#assertSound()
    for (let at = 0; at < chunk.byteLength; ) {
      const slot = this.#slot ?? this.#free.pop() ?? (await this.#nextFree())
      this.#assertSound()
      this.#slot = slot
      const size = Math.min(SLOT_BYTES - this.#filled, chunk.byteLength - at)
      this.#bytes.set(chunk.subarray(at, at + size), slot * SLOT_BYTES + this.#filled)
      this.#filled += size
      at += size
      if (this.#filled === SLOT_BYTES) this.#flush()
    }
  }

  #flush(): void {
    if (this.#slot === undefined) return
    Atomics.add(this.#sent, 0, 1)
    this.#worker.send({ type: 'chunk', id: this.#id, slot: this.#slot, length: this.#filled })
    this.#slot = undefined
    this.#filled = 0
  }

  save(): Promise<Uint8Array> {
    return this.#ask('save')
  }

  async hex(): Promise<string> {
    const hex = await this.#ask<string>('digest')
    this.#close()
    return hex
  }

  release(): void {
    if (this.#closed) return
    if (!this.#failure) this.#worker.send({ type: 'drop', id: this.#id })
    this.#close()
  }

  take(answer: { type: string; slots?: readonly number[]; state?: Uint8Array; hex?: string }): void {
    if (answer.type === 'free') {
      this.#free.push(...(answer.slots as readonly number[]))
      this.#changed.notify()
      return
    }
    this.#asked.shift()?.resolve((answer.type === 'state' ? answer.state : answer.hex) as never)
  }

  fail(error: HasherError): void {
    this.#failure ??= error
    for (const asked of this.#asked.splice(0)) asked.reject(error)
    this.#changed.notify()
  }

  async #nextFree(): Promise<number> {
    while (this.#free.length === 0) {
      this.#assertSound()
      await this.#changed.wait()
    }
    return this.#free.pop() as number
  }

  #ask<T>(type: 'save' | 'digest'): Promise<T> {
    this.#assertSound()
    this.#flush()
    return new Promise<T>((resolve, reject) => {
      this.#asked.push({ resolve, reject })
      this.#worker.send({ type, id: this.#id })
    })
  }

  #assertSound(): void {
    if (this.#failure) throw this.#failure
    if (this.#closed) throw new FormatError('ERR_INVALID_ARGUMENT', 'this digester has already ended')
  }

  #close(): void {
    this.#closed = true
    this.#worker.close(this.#id)
    // SAFETY: a ring is reused only after the worker has released every slot; else two streams would share memory.
    const idle = this.#free.length + (this.#slot === undefined ? 0 : 1)
    if (idle === SLOTS && rings.length < KEPT_RINGS) rings.push(this.#ring)
  }
}
