import type { Transform } from 'node:stream'

/** A stream of node:zlib. */
export type Engine = Transform & { readonly bytesWritten: number }

/** How many bytes an engine has come to, the chunk that it works on included and the next one not. */
export interface BytesCome {
  bytes: number
}

/** Larger chunks are worth waiting for, and not worth their memory twice. */
const COPIED_AT_MOST = 1024 * 1024

/**
 * What an engine of node:zlib is given to read: one chunk that it works on, and with `ahead` the next one.
 *
 * PERF: with the next chunk at hand the engine goes on within the call that ends the last one. Otherwise it stands still for
 * as long as the calling thread takes to fetch and hash a chunk, 0.4 ms for each 512 KiB that a store reads: a tenth of the time.
 */
export class EngineInput {
  readonly #engine: Engine
  /** Two buffers in turns: the engine reads from one while the other is filled. */
  readonly #copies: Uint8Array[] = []
  #held: { readonly bytes: Uint8Array; readonly end: number }[] = []
  #given = 0
  #last: Promise<boolean> = Promise.resolve(true)
  #answers: ((taken: boolean) => void)[] = []
  #stopped = false
  readonly #ahead: BytesCome | undefined

  constructor(engine: Engine, ahead?: BytesCome) {
    this.#engine = engine
    this.#ahead = ahead
    // An engine that has ended, failed or been destroyed never answers.
    for (const event of ['end', 'error', 'close']) engine.once(event, () => this.#stop())
  }

  /**
   * Gives one chunk, which may be overwritten when the promise has settled, and tells whether the engine takes more. It does
   * not wait for this chunk, unless it is a very large one, but for the one before.
   */
  give(chunk: Uint8Array): Promise<boolean> {
    if (chunk.byteLength === 0) return Promise.resolve(!this.#stopped)
    const before = this.#last
    const ahead = this.#ahead && chunk.byteLength <= COPIED_AT_MOST
    this.#last = this.#write(ahead ? this.#copyOf(chunk) : chunk)
    this.#countAfter(before, this.#given)
    return ahead ? before : this.#last
  }

  /** Waits until the engine has read everything; `false` if it left something. */
  settled(): Promise<boolean> {
    return this.#last
  }

  /** What it was given and has not read. */
  unread(): Uint8Array[] {
    const read = this.#engine.bytesWritten
    return this.#held
      .filter(({ end }) => end > read)
      .map(({ bytes, end }) => bytes.subarray(Math.max(0, bytes.byteLength - (end - read))))
  }

  /** SAFETY: a chunk that waits has made no output yet; counted early, it would let a bomb grow a thousand times its size more. */
  #countAfter(before: Promise<boolean>, end: number): void {
    const come = this.#ahead
    if (!come) return
    void before.then(() => {
      come.bytes = end
    })
  }

  #write(bytes: Uint8Array): Promise<boolean> {
    const end = this.#given + bytes.byteLength
    this.#given = end
    this.#held = [...this.#held.slice(-1), { bytes, end }]
    if (this.#stopped || this.#engine.destroyed) return Promise.resolve(false)
    return new Promise(resolve => {
      this.#answers.push(resolve)
      this.#engine.write(bytes, error => {
        this.#answers.shift()
        resolve(!error && this.#engine.bytesWritten >= end)
      })
    })
  }

  #copyOf(chunk: Uint8Array): Uint8Array {
    // SAFETY: whoever gives a third chunk has waited for the first, so the older buffer is free.
    let copy = this.#copies.length < 2 ? undefined : this.#copies.shift()
    if (!copy || copy.byteLength < chunk.byteLength) copy = Buffer.allocUnsafeSlow(chunk.byteLength)
    copy.set(chunk)
    this.#copies.push(copy)
    return copy.subarray(0, chunk.byteLength)
  }

  #stop(): void {
    this.#stopped = true
    for (const answer of this.#answers.splice(0)) answer(false)
  }
}
