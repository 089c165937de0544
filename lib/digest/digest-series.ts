import type { Digest, DigestAlgorithm } from './digest.ts'
import type { DigesterOptions } from './digester.ts'
import { type HasherEngine, openHash, type RunningHash } from './engine.ts'

/**
 * Computes the digests of many small inputs, one after the other. Only the start of the series is asynchronous; a
 * `Digester` would be awaited for each input. End the series with `release`, once.
 *
 * @internal
 */
export class DigestSeries {
  readonly #algorithm: DigestAlgorithm
  readonly #hash: RunningHash

  /** Use {@link createDigestSeries}. */
  constructor(algorithm: DigestAlgorithm, hash: RunningHash) {
    this.#algorithm = algorithm
    this.#hash = hash
  }

  /** Adds bytes to the input. They are read before the call returns. */
  update(chunk: Uint8Array): void {
    this.#hash.update(chunk)
  }

  /** Ends an input, returns its digest and begins the next input. */
  next(): Digest {
    return `${this.#algorithm}:${this.#hash.next()}` as Digest
  }

  /** Releases the hasher; the series must not be used afterwards. */
  release(): void {
    this.#hash.release()
  }
}

/**
 * Begins a series.
 *
 * @internal
 */
export async function createDigestSeries(options: DigesterOptions = {}): Promise<DigestSeries> {
  const algorithm = options.algorithm ?? 'sha256'
  const engine: HasherEngine = options.hasher ?? 'wasm'
  return new DigestSeries(algorithm, await openHash(algorithm, engine))
}
