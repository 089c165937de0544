import type { Transform } from 'node:stream'

/** A stream of node:zlib. */
export type Engine = Transform & { readonly bytesWritten: number }

/**
 * Number of input bytes up to the end of the chunk that the engine is processing; the read-ahead chunk is not counted.
 */
export interface BytesCome {
  bytes: number
}

/**
 * Maximum size of a chunk that is copied for read-ahead. For larger chunks waiting costs less than the memory of a
 * copy.
 */
const COPIED_AT_MOST = 1024 * 1024

/**
 * Input queue of a node:zlib engine: the chunk in progress, and with `ahead` the next one.
 *
 * PERF: with the next chunk queued the engine resumes within the call that finishes the current one. Otherwise it idles
 * while the calling thread fetches and hashes a chunk, 0.4 ms per 512 KiB that a store reads: 10 % of the time.
 */
export class EngineInput {
  readonly #engine: Engine
  /** Two alternating buffers: the engine reads one while the other is filled. */
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
    // An engine that has ended, failed or been destroyed calls no write callback.
    for (const event of ['end', 'error', 'close']) engine.once(event, () => this.#stop())
  }

  /**
   * Queues one chunk, and resolves to whether the engine takes more. The caller may reuse the chunk once the promise
   * settles. With `ahead` it waits for the previous chunk, not for this one, unless this one is larger than
   * {@link COPIED_AT_MOST}.
   */
  give(chunk: Uint8Array): Promise<boolean> {
    if (chunk.byteLength === 0) return Promise.resolve(!this.#stopped)
    const before = this.#last
    const ahead = this.#ahead && chunk.byteLength <= COPIED_AT_MOST
    this.#last = this.#write(ahead ? this.#copyOf(chunk) : chunk)
    this.#countAfter(before, this.#given)
    return ahead ? before : this.#last
  }

  /** Resolves once the engine has consumed all input; `false` if it left some. */
  settled(): Promise<boolean> {
    return this.#last
  }

  /** Returns the queued bytes that the engine has not consumed. */
  unread(): Uint8Array[] {
    const read = this.#engine.bytesWritten
    return this.#held
      .filter(({ end }) => end > read)
      .map(({ bytes, end }) => bytes.subarray(Math.max(0, bytes.byteLength - (end - read))))
  }

  /**
   * SAFETY: a queued chunk has produced no output. If it were counted as input at once, a bomb could expand by 1,000
   * times its size before `maxRatio` stops it; so it is counted when the previous chunk is done.
   */
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
    // SAFETY: the third `give` resumes only after the first chunk is consumed, so the older buffer is free to be
    // overwritten.
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
