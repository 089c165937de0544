import { setImmediate } from 'node:timers/promises'
import { FormatError } from '../errors/index.ts'
import { createCheckpoint, type DigestCheckpoint, openCheckpoint } from './checkpoint.ts'
import type { Digest, DigestAlgorithm } from './digest.ts'
import { createDigester, type Digester, type DigesterOptions, restoreDigester } from './digester.ts'
import type { HasherEngine } from './engine.ts'
import type { HashWorker } from './worker/hash-worker.ts'
import { betterPlace, NOWHERE_ELSE, placeStream, type StreamPlace } from './worker/hash-workers.ts'
import { WorkerHash } from './worker/worker-hash.ts'

/** PERF: starting a worker costs some 40 ms of processor time: what is hashed in less stays where it is. */
const INLINE_BYTES = 2 * 1024 * 1024
/**
 * What is hashed on the calling thread before others have a turn: half a millisecond. PERF: the stream of a worker waits for
 * that turn, too: two streams of 512 MiB take 2.0 s so, and 2.4 with 1 MiB.
 */
const PIECE_BYTES = 256 * 1024

/**
 * Computes one digest over a long stream without holding up the calling thread: after the first 2 MiB another thread
 * goes on from the saved state, as soon as there is one. The digest does not depend on where it was computed.
 *
 * Await each `update` before the next one; `save` gives the state at the moment of the call, whatever follows. End it with
 * `digest` or `release`, once.
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

  /** Bytes taken so far, those before a checkpoint included. */
  get bytesHashed(): number {
    return this.#bytes
  }

  /**
   * Adds bytes. The buffer may be reused when the promise has settled; it settles once the bytes are taken, which is
   * later only if hashing is far behind.
   *
   * @throws {@link HasherError} `ERR_HASHER` if the thread that hashes has crashed.
   */
  async update(chunk: Uint8Array): Promise<void> {
    this.#assertOpen()
    // The native hasher cannot hand over its state, and is fast enough not to need it.
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

  /** Lets others have a turn now and then, the message that a worker has started among them. */
  async #hashHereInTurn(bytes: Uint8Array): Promise<void> {
    this.#hashHere(bytes)
    this.#sinceTurn += bytes.byteLength
    if (this.#sinceTurn < PIECE_BYTES) return
    this.#sinceTurn = 0
    await setImmediate()
  }

  /** The state so far; see {@link Digester.save}. */
  async save(): Promise<DigestCheckpoint> {
    if (!this.#away) return this.#open().save()
    const bytes = this.#bytes
    return createCheckpoint(this.#algorithm, bytes, await this.#away.save())
  }

  /** Ends the computation and gives its result. */
  async digest(): Promise<Digest> {
    const digest = this.#away ? (`${this.#algorithm}:${await this.#away.hex()}` as Digest) : this.#open().digest()
    this.#end()
    return digest
  }

  /** Ends the computation without a result. May be called after `digest`; then it does nothing. */
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

  /** Sees to it that the next bytes are hashed where there is most room. */
  async #findPlace(): Promise<void> {
    this.#assertOpen()
    this.#place ??= placeStream()
    const better = betterPlace(this.#place)
    if (better) await this.#moveTo(better)
    const { worker } = this.#place
    if (!worker || this.#away) return
    if (worker.state === 'ready') this.#handOver(worker)
    // Hashed here all along, nothing is lost with a worker that did not come up.
    else if (worker.state === 'gone') this.#place = NOWHERE_ELSE
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

/** Starts computing a digest over a stream. */
export async function createStreamDigester(options: DigesterOptions = {}): Promise<StreamDigester> {
  const { algorithm = 'sha256', hasher = 'wasm' } = options
  return new StreamDigester(algorithm, hasher, await createDigester({ algorithm, hasher }))
}

/**
 * Goes on from a checkpoint; see {@link restoreDigester}.
 *
 * @throws {@link FormatError} `ERR_INVALID_CHECKPOINT`.
 */
export async function restoreStreamDigester(checkpoint: DigestCheckpoint): Promise<StreamDigester> {
  return new StreamDigester(checkpoint.algorithm, 'wasm', await restoreDigester(checkpoint))
}
