import type { Digest, DigestAlgorithm } from './digest.ts'
import type { DigesterOptions } from './digester.ts'
import { type HasherEngine, openHash, type RunningHash } from './engine.ts'

/**
 * Computes one digest after another, of many inputs that are mostly small. Where a `Digester` for each would be awaited,
 * here only the beginning of the series is. End it with `release`, once.
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

  /** Ends an input and begins the next one. */
  next(): Digest {
    return `${this.#algorithm}:${this.#hash.next()}` as Digest
  }

  /** Frees what the series holds; it must not be used after that. */
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
