import { setImmediate } from 'node:timers/promises'
import { FormatError } from '../errors/index.ts'
import { createCheckpoint, type DigestCheckpoint, openCheckpoint } from './checkpoint.ts'
import type { Digest, DigestAlgorithm } from './digest.ts'
import { createDigester, type Digester, type DigesterOptions, restoreDigester } from './digester.ts'
import type { HasherEngine } from './engine.ts'
import type { HashWorker } from './worker/hash-worker.ts'
import { betterPlace, NOWHERE_ELSE, placeStream, type StreamPlace } from './worker/hash-workers.ts'
import { WorkerHash } from './worker/worker-hash.ts'

/** PERF: starting a worker costs about 40 ms of processor time, so shorter streams are hashed on the calling thread. */
const INLINE_BYTES = 2 * 1024 * 1024
/**
 * Bytes hashed on the calling thread before it yields to the event loop: half a millisecond. PERF: a stream in a worker
 * also waits for the event loop; two streams of 512 MiB take 2.0 s with this size and 2.4 s with 1 MiB.
 */
const PIECE_BYTES = 256 * 1024

/**
 * Computes one digest over a long stream without blocking the calling thread: after the first 2 MiB a worker thread
 * continues from the saved state, as soon as one has started. The digest does not depend on the thread.
 *
 * Await each `update` before the next one. `save` returns the state at the moment of the call. End it with `digest` or
 * `release`, once.
 */
export class StreamDigester {
  readonly #algorithm: DigestAlgorithm
  readonly #engine: HasherEngine
  #inline: Digester | undefined
  #away: WorkerHash | undefined
  #place: StreamPlace | undefined
  #bytes: number
  #sinceTurn = 0
  #ended = false

  /** @internal Use {@link createStreamDigester} or {@link restoreStreamDigester}. */
  constructor(algorithm: DigestAlgorithm, engine: HasherEngine, inline: Digester) {
    this.#algorithm = algorithm
    this.#engine = engine
    this.#inline = inline
    this.#bytes = inline.bytesHashed
  }

  /** Number of bytes taken so far, including those before a checkpoint. */
  get bytesHashed(): number {
    return this.#bytes
  }

  /**
   * Adds bytes. The promise settles when the bytes are taken; the buffer may be reused then. It settles late only if
   * hashing is far behind.
   *
   * @throws {@link HasherError} `ERR_HASHER` if the worker thread has crashed.
   */
  async update(chunk: Uint8Array): Promise<void> {
    this.#assertOpen()
    // The native hasher cannot save its state for a worker, and is fast enough on the calling thread.
    const isLong = this.#engine === 'wasm' && this.#bytes + chunk.byteLength > INLINE_BYTES
    if (!isLong) return this.#hashHere(chunk)
    for (let at = 0; at < chunk.byteLength; ) {
      await this.#findPlace()
      const rest = chunk.subarray(at)
      const piece = this.#away ? rest : rest.subarray(0, PIECE_BYTES)
      at += piece.byteLength
      if (!this.#away) await this.#hashHereInTurn(piece)
      else {
        this.#bytes += piece.byteLength
        await this.#away.update(piece)
      }
    }
  }

  #hashHere(bytes: Uint8Array): void {
    this.#open().update(bytes)
    this.#bytes += bytes.byteLength
  }

  /**
   * Hashes on the calling thread and yields to the event loop between pieces, so that a worker's start message can
   * arrive.
   */
  async #hashHereInTurn(bytes: Uint8Array): Promise<void> {
    this.#hashHere(bytes)
    this.#sinceTurn += bytes.byteLength
    if (this.#sinceTurn < PIECE_BYTES) return
    this.#sinceTurn = 0
    await setImmediate()
  }

  /** The current state; see {@link Digester.save}. */
  async save(): Promise<DigestCheckpoint> {
    if (!this.#away) return this.#open().save()
    const bytes = this.#bytes
    return createCheckpoint(this.#algorithm, bytes, await this.#away.save())
  }

  /** Ends the computation and resolves to the digest. */
  async digest(): Promise<Digest> {
    const digest = this.#away ? (`${this.#algorithm}:${await this.#away.hex()}` as Digest) : this.#open().digest()
    this.#end()
    return digest
  }

  /** Ends the computation without a result. After `digest` it does nothing. */
  release(): void {
    this.#inline?.release()
    this.#away?.release()
    this.#end()
  }

  #end(): void {
    this.#ended = true
    this.#place?.leave()
    this.#inline = this.#away = this.#place = undefined
  }

  /** Moves the stream to the place with the most free capacity. */
  async #findPlace(): Promise<void> {
    this.#assertOpen()
    const place = this.#place ?? (await this.#takePlace())
    const better = betterPlace(place)
    if (better) await this.#moveTo(better)
    const { worker } = this.#place ?? place
    if (!worker || this.#away) return
    if (worker.state === 'ready') this.#handOver(worker)
    // Hashed here all along, nothing is lost with a worker that did not come up.
    else if (worker.state === 'gone') this.#place = NOWHERE_ELSE
  }

  async #takePlace(): Promise<StreamPlace> {
    const place = await placeStream()
    if (this.#ended) place.leave()
    this.#assertOpen()
    this.#place = place
    return place
  }

  #handOver(worker: HashWorker): void {
    const inline = this.#open()
    const { state } = openCheckpoint(inline.save())
    this.#away = new WorkerHash(worker, this.#algorithm, this.#engine, state)
    inline.release()
    this.#inline = undefined
  }

  async #moveTo(better: StreamPlace): Promise<void> {
    try {
      if (this.#away) {
        const inline = await restoreDigester(await this.save())
        this.#away?.release()
        this.#away = undefined
        this.#inline = inline
      }
      this.#assertOpen()
    } catch (error) {
      better.leave()
      throw error
    }
    this.#place?.leave()
    this.#place = better
  }

  #assertOpen(): void {
    if (this.#ended) throw new FormatError('ERR_INVALID_ARGUMENT', 'this digester has already ended')
  }

  #open(): Digester {
    this.#assertOpen()
    return this.#inline as Digester
  }
}

/**
 * Starts computing a digest over a stream.
 *
 * @example
 * ```ts
 * const digester = await createStreamDigester()
 * for await (const chunk of createReadStream('app.tar')) await digester.update(chunk)
 * const digest = await digester.digest()
 * ```
 */
export async function createStreamDigester(options: DigesterOptions = {}): Promise<StreamDigester> {
  const { algorithm = 'sha256', hasher = 'wasm' } = options
  return new StreamDigester(algorithm, hasher, await createDigester({ algorithm, hasher }))
}

/**
 * Continues from a checkpoint; see {@link restoreDigester}.
 *
 * @example
 * ```ts
 * const digester = await restoreStreamDigester(JSON.parse(await readFile('checkpoint.json', 'utf8')))
 * for await (const chunk of createReadStream('app.tar', { start: digester.bytesHashed })) await digester.update(chunk)
 * const digest = await digester.digest()
 * ```
 *
 * @throws {@link FormatError} `ERR_INVALID_CHECKPOINT`.
 */
export async function restoreStreamDigester(checkpoint: DigestCheckpoint): Promise<StreamDigester> {
  return new StreamDigester(checkpoint.algorithm, 'wasm', await restoreDigester(checkpoint))
}
