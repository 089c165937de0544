import { FormatError } from '../errors/index.ts'

/** `algorithm:hex`, e.g. `sha256:e3b0…`. Made only by {@link parseDigest} and digesters, so it is always well-formed. */
export type Digest = `${string}:${string}` & {
  /** Never there: it keeps plain strings from passing as digests. */
  readonly __digest: unique symbol
}

/** The algorithms that this library computes, with the length of their lower-case hexadecimal form. */
export const DIGEST_ALGORITHMS = {
  /** The one that every tool understands. */
  sha256: 64,
  /** Twice as long. */
  sha512: 128,
  /** Registered by the specification, understood by few. */
  blake3: 64,
} as const

/** Name of an algorithm that this library computes. */
export type DigestAlgorithm = keyof typeof DIGEST_ALGORITHMS

/**
 * Checks that a string is a digest of a known algorithm.
 *
 * SPEC: upper-case hex is invalid, and the length is fixed for each algorithm. Because nothing else passes, a digest
 * may stand in a path or a URL as it is.
 *
 * @throws {@link FormatError} `ERR_INVALID_DIGEST`.
 * @see {@link https://github.com/opencontainers/image-spec/blob/v1.1.1/descriptor.md#digests | image-spec: digests}
 */
export function parseDigest(text: string): Digest {
  if (isDigest(text)) return text
  throw new FormatError('ERR_INVALID_DIGEST', `not a digest: ${JSON.stringify(String(text).slice(0, 160))}`)
}

/** Whether {@link parseDigest} would accept the value. Never throws. */
export function isDigest(value: unknown): value is Digest {
  if (typeof value !== 'string') return false
  const colon = value.indexOf(':')
  const algorithm = value.slice(0, colon)
  if (!Object.hasOwn(DIGEST_ALGORITHMS, algorithm)) return false
  const length = DIGEST_ALGORITHMS[algorithm as DigestAlgorithm]
  return value.length === colon + 1 + length && /^[0-9a-f]+$/.test(value.slice(colon + 1))
}

/** The parts of a digest. */
export interface SplitDigest {
  /** What computed it. */
  readonly algorithm: DigestAlgorithm
  /** Its value in lower-case hexadecimal. */
  readonly hex: string
}

/** Takes a digest apart. */
export function splitDigest(digest: Digest): SplitDigest {
  const colon = digest.indexOf(':')
  return { algorithm: digest.slice(0, colon) as DigestAlgorithm, hex: digest.slice(colon + 1) }
}
