import { Condition } from '../../../internal/concurrency/condition.ts'
import { Pool } from '../../../internal/memory/pool.ts'
import type { BodyPiece, TakenPiece } from './blob-messages.ts'
import type { ReadSource } from './read-source.ts'

/** Largest piece of a body. */
const PIECE_BYTES = 1024 * 1024
/** Number of idle buffers kept for later bodies. */
const KEPT = 4

const buffers = new Pool<Uint8Array>(() => Buffer.allocUnsafeSlow(PIECE_BYTES), KEPT)

/** Connection of an outbox with its thread. */
export interface OutboxParts {
  sourceOf(number: number): Promise<ReadSource> | undefined
  /** Called when a piece has been read, before it is sent. */
  onTook(piece: TakenPiece): void
}

/** The body of a request in the thread that sends it: reads the pieces that the calling thread names. */
export class BodyOutbox {
  readonly #parts: OutboxParts
  readonly #waiting: BodyPiece[] = []
  readonly #changed = new Condition()
  #isComplete = false
  #isClosed = false

  constructor(parts: OutboxParts) {
    this.#parts = parts
  }

  /** Adds a piece. */
  add(piece: BodyPiece): void {
    this.#waiting.push(piece)
    this.#changed.notify()
  }

  /** No piece follows. */
  complete(): void {
    this.#isComplete = true
    this.#changed.notify()
  }

  /** Ends the body early: the exchange is over. */
  close(): void {
    this.#isClosed = true
    this.#changed.notify()
  }

  /** The bytes of the body. A chunk is valid until the next one is asked for. */
  async *chunks(): AsyncGenerator<Uint8Array, void, undefined> {
    const { value: memory, release } = buffers.borrow()
    for (let piece = await this.#next(); piece; piece = await this.#next()) {
      const chunk = await this.#read(piece, memory)
      if (chunk) yield chunk
    }
    // SAFETY: when a body ends early, the connection may still be sending a chunk, so that memory is not used again.
    if (!this.#isClosed) release()
  }

  async #next(): Promise<BodyPiece | undefined> {
    while (this.#waiting.length === 0 && !this.#isComplete && !this.#isClosed) await this.#changed.wait()
    return this.#isClosed ? undefined : this.#waiting.shift()
  }

  /** Resolves to `undefined` if the bytes could not be read: the calling thread then stops the exchange. */
  async #read({ source, position, length }: BodyPiece, memory: Uint8Array): Promise<Uint8Array | undefined> {
    const chunk = memory.subarray(0, length)
    const from = await this.#parts.sourceOf(source)
    // The calling thread takes the source back only after it has stopped the exchange.
    if (!from) return undefined
    const taken = from.read(chunk, position)
    this.#parts.onTook(taken)
    return taken.fault ? undefined : chunk
  }
}
