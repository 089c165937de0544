import { createHash } from 'node:crypto'
import { FormatError } from '../errors/index.ts'
import { DIGEST_ALGORITHMS, type DigestAlgorithm } from './digest.ts'

/**
 * A saved hash state as plain JSON. Format 1: `state` is hash-wasm's state in base64 (116 bytes for sha256), `checksum`
 * the first 16 hex digits of the SHA-256 over the other members.
 */
export interface DigestCheckpoint {
  /** Version of the format. */
  readonly version: 1
  /** Algorithm of the hash. */
  readonly algorithm: DigestAlgorithm
  /** Number of bytes hashed so far. */
  readonly bytes: number
  /** The engine's state, base64. */
  readonly state: string
  /** Detects damage to the members above: the engine does not notice a flipped bit. */
  readonly checksum: string
}

/** Wraps an engine's state as a checkpoint. */
export function createCheckpoint(algorithm: DigestAlgorithm, bytes: number, state: Uint8Array): DigestCheckpoint {
  const members = { version: 1, algorithm, bytes, state: Buffer.from(state).toString('base64') } as const
  return { ...members, checksum: checksumOf(members) }
}

/** Unwraps the state of a checkpoint, or throws `ERR_INVALID_CHECKPOINT`. */
export function openCheckpoint(checkpoint: DigestCheckpoint): {
  algorithm: DigestAlgorithm
  bytes: number
  state: Uint8Array
} {
  // Callers often read checkpoints from files, so the value may be anything.
  const { version, algorithm, bytes, state, checksum } = checkpoint ?? {}
  const sound =
    version === 1 &&
    Object.hasOwn(DIGEST_ALGORITHMS, algorithm) &&
    Number.isSafeInteger(bytes) &&
    bytes >= 0 &&
    typeof state === 'string' &&
    checksumOf(checkpoint) === checksum
  if (!sound) throw new FormatError('ERR_INVALID_CHECKPOINT', 'hash checkpoint is damaged or of another version')
  return { algorithm, bytes, state: Buffer.from(state, 'base64') }
}

function checksumOf(members: Omit<DigestCheckpoint, 'checksum'>): string {
  const text = JSON.stringify([members.version, members.algorithm, members.bytes, members.state])
  return createHash('sha256').update(text).digest('hex').slice(0, 16)
}
