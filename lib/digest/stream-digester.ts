import { FormatError } from '../errors/index.ts'
import { createCheckpoint, type DigestCheckpoint, openCheckpoint } from './checkpoint.ts'
import type { Digest, DigestAlgorithm } from './digest.ts'
import { createDigester, type Digester, type DigesterOptions, restoreDigester } from './digester.ts'
import type { HasherEngine } from './engine.ts'
import { HashWorker } from './worker/hash-worker.ts'
import { placeStream } from './worker/hash-workers.ts'
import { WorkerHash } from './worker/worker-hash.ts'

/** PERF: starting a worker costs some 40 ms and handing a stream over under 1 ms: shorter streams stay where they are. */
const INLINE_BYTES = 2 * 1024 * 1024

/**
 * Computes one digest over a long stream without holding up the calling thread: after the first 2 MiB another thread
 * goes on, from the saved state. The digest does not depend on where it was computed.
 *
 * Await each `update` before the next one; `save` gives the state at the moment of the call, whatever follows. End it with
 * `digest` or `release`, once.
 */
export class StreamDigester {
  readonly #algorithm: DigestAlgorithm
  readonly #engine: HasherEngine
  #inline: Digester | undefined
  #away: WorkerHash | undefined
  #placed = false
  #leave: (() => void) | undefined
  #bytes: number

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
    this.#bytes += chunk.byteLength
    if (!this.#placed && this.#bytes > INLINE_BYTES) this.#findPlace()
    if (this.#away) await this.#away.update(chunk)
    else this.#open().update(chunk)
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
    this.#leave?.()
    this.#inline = this.#away = this.#leave = undefined
  }

  /** The native hasher cannot hand over its state, and is fast enough not to need it. */
  #findPlace(): void {
    this.#placed = true
    if (this.#engine === 'native') return
    const inline = this.#open()
    const place = placeStream()
    if (!(place instanceof HashWorker)) {
      this.#leave = place.leave
      return
    }
    const { state } = openCheckpoint(inline.save())
    this.#away = new WorkerHash(place, this.#algorithm, this.#engine, state)
    inline.release()
    this.#inline = undefined
  }

  #open(): Digester {
    if (!this.#inline) throw new FormatError('ERR_INVALID_ARGUMENT', 'this digester has already ended')
    return this.#inline
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
