import { FormatError, type HasherError } from '../../errors/index.ts'
import { Condition } from '../../internal/concurrency/condition.ts'
import { type Borrowed, owned } from '../../internal/memory/borrowed.ts'
import { Pool } from '../../internal/memory/pool.ts'
import type { DigestAlgorithm } from '../digest.ts'
import type { HasherEngine } from '../engine.ts'
import type { AnswerTaker, HashWorker } from './hash-worker.ts'

/** PERF: smaller slots cost more in messages, larger slots cost more in waiting; see rationale.md. */
const WIDE = { slotBytes: 512 * 1024, slots: 4 }
/**
 * PERF: a worker that hashes many streams always has a full slot of one of them, so they need no reserve each: 200
 * streams hold 25 MiB and not 400.
 */
const NARROW = { slotBytes: 64 * 1024, slots: 2 }
/** Streams of one worker that get wide rings. */
const WIDE_RINGS = 8
/** Number of idle wide rings kept for later streams. */
const KEPT_RINGS = 4

const wideRings = new Pool(() => new SharedArrayBuffer(WIDE.slotBytes * WIDE.slots), KEPT_RINGS)

/**
 * The hash of one stream, computed by a worker. Copies chunks into slots of shared memory, several small chunks into
 * one slot; holds 2 MiB, or 128 KiB where the worker has many streams.
 */
export class WorkerHash implements AnswerTaker {
  readonly #worker: HashWorker
  readonly #id: number
  readonly #ring: Borrowed<SharedArrayBuffer>
  readonly #bytes: Uint8Array
  readonly #slotBytes: number
  readonly #slots: number
  readonly #free: number[]
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
    const { slotBytes, slots } = worker.load > WIDE_RINGS ? NARROW : WIDE
    this.#slotBytes = slotBytes
    this.#slots = slots
    this.#free = Array.from({ length: slots }, (_, slot) => slot)
    this.#ring = slots === WIDE.slots ? wideRings.borrow() : owned(new SharedArrayBuffer(slotBytes * slots))
    this.#bytes = new Uint8Array(this.#ring.value)
    this.#id = worker.open(
      { algorithm, engine, state, ring: this.#ring.value, slotBytes, freeTogether: slots / 2, sent: this.#sent },
      this,
    )
  }

  /** Copies bytes into the ring. Waits for the worker if the ring is full. */
  async update(chunk: Uint8Array): Promise<void> {
    this.#assertSound()
    for (let at = 0; at < chunk.byteLength; ) {
      const slot = this.#slot ?? this.#free.pop() ?? (await this.#nextFree())
      this.#assertSound()
      this.#slot = slot
      const size = Math.min(this.#slotBytes - this.#filled, chunk.byteLength - at)
      this.#bytes.set(chunk.subarray(at, at + size), slot * this.#slotBytes + this.#filled)
      this.#filled += size
      at += size
      if (this.#filled === this.#slotBytes) this.#flush()
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
    // SAFETY: a ring is released only after the worker has released every slot; else two streams would share memory.
    const idle = this.#free.length + (this.#slot === undefined ? 0 : 1)
    if (idle === this.#slots) this.#ring.release()
  }
}
