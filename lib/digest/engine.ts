import { createHash } from 'node:crypto'
import { FormatError } from '../errors/index.ts'
import type { DigestAlgorithm } from './digest.ts'
import { hashers } from './hasher-pool.ts'

/**
 * Engine that computes digests. `wasm` is hash-wasm, the default: its state can be saved and restored in another
 * process. `native` is node:crypto: several times as fast on processors with SHA instructions, but its state cannot be
 * saved.
 */
export type HasherEngine = 'wasm' | 'native'

/** One running hash with one owner, which ends it with `hex` or `release`, once. */
export interface RunningHash {
  update(chunk: Uint8Array): void
  hex(): string
  /** Returns the digest as `hex` does, and starts anew: the next bytes are the first of another input. */
  next(): string
  release(): void
  /** The serialised state; absent if the engine cannot serialise it. */
  save?(): Uint8Array
}

/** Starts a hash on an engine, from a saved state if one is given. */
export async function openHash(
  algorithm: DigestAlgorithm,
  engine: HasherEngine,
  state?: Uint8Array,
): Promise<RunningHash> {
  if (engine === 'native') return openNative(algorithm)
  const { value, release } = hashers[algorithm].borrow()
  const hasher = await value
  if (state) hasher.load(state)
  else hasher.init()
  return {
    update: chunk => void hasher.update(chunk),
    save: () => hasher.save(),
    next: () => {
      const hex = hasher.digest('hex')
      hasher.init()
      return hex
    },
    hex: () => {
      const hex = hasher.digest('hex')
      release()
      return hex
    },
    release,
  }
}

function openNative(algorithm: DigestAlgorithm): RunningHash {
  if (algorithm === 'blake3') {
    throw new FormatError('ERR_INVALID_ARGUMENT', 'the native hasher has no blake3; use hasher wasm')
  }
  let hash = createHash(algorithm)
  return {
    update: chunk => void hash.update(chunk),
    hex: () => hash.digest('hex'),
    next: () => {
      const hex = hash.digest('hex')
      hash = createHash(algorithm)
      return hex
    },
    release: () => {},
  }
}
