import { FormatError } from '../errors/index.ts'

/**
 * `algorithm:hex`, e.g. `sha256:e3b0…`. Digesters and {@link parseDigest} make only those that this library computes. A
 * document may name a blob by another algorithm ({@link isWellFormedDigest}); every act on that blob rejects.
 */
export type Digest = `${string}:${string}` & {
  /** Brand without a value: it keeps plain strings from passing as digests. */
  readonly __digest: unique symbol
}

/** The algorithms that this library computes, with the length of their digests in lower-case hexadecimal. */
export const DIGEST_ALGORITHMS = {
  /** SHA-256: every tool reads it. */
  sha256: 64,
  /** SHA-512: registered by image-spec, less widely supported. */
  sha512: 128,
  /** BLAKE3: registered by image-spec, supported by few tools. */
  blake3: 64,
} as const

/** Name of an algorithm that this library computes. */
export type DigestAlgorithm = keyof typeof DIGEST_ALGORITHMS

/**
 * Checks that a string is a digest of a known algorithm.
 *
 * SPEC: upper-case hex is invalid, and the length is fixed for each algorithm. Because nothing else passes, a digest
 * is safe in a path or a URL.
 *
 * @example
 * ```ts
 * const digest = parseDigest(process.argv[2] ?? '')
 * const known = await store.stat(digest)
 * ```
 *
 * @throws {@link FormatError} `ERR_INVALID_DIGEST`, also for a well-formed digest of an algorithm that this library
 * does not compute: it could not verify the content.
 * @see {@link https://github.com/opencontainers/image-spec/blob/v1.1.1/descriptor.md#digests | image-spec: digests}
 */
export function parseDigest(text: string): Digest {
  if (isDigest(text)) return text
  const shown = JSON.stringify(String(text).slice(0, 160))
  if (!isWellFormedDigest(text)) throw new FormatError('ERR_INVALID_DIGEST', `not a digest: ${shown}`)
  const known = Object.keys(DIGEST_ALGORITHMS).join(', ')
  throw new FormatError('ERR_INVALID_DIGEST', `cannot verify ${shown}: its algorithm is none of ${known}`)
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

/** Longer than the digest of any algorithm in use. */
const LONGEST = 512

/**
 * Whether a value is a digest by the grammar of the specification: one that {@link parseDigest} accepts, or one of an
 * algorithm that this library does not compute. A document that names a blob so is valid and is carried; the blob
 * itself can neither be stored nor verified. Never throws.
 *
 * @see {@link https://github.com/opencontainers/image-spec/blob/v1.1.1/descriptor.md#digests | image-spec: digests}
 */
export function isWellFormedDigest(value: unknown): value is Digest {
  if (isDigest(value)) return true
  if (typeof value !== 'string' || value.length > LONGEST) return false
  // SPEC: separators stand alone between components, so no digest can leave a directory or end a URL.
  const [, algorithm] = /^([a-z0-9]+(?:[+._-][a-z0-9]+)*):[a-zA-Z0-9=_-]+$/.exec(value) ?? []
  // SPEC: the encoding of a registered algorithm is part of its definition.
  return algorithm !== undefined && !Object.hasOwn(DIGEST_ALGORITHMS, algorithm)
}

/** The two parts of a digest. */
export interface SplitDigest {
  /** Algorithm of the digest. */
  readonly algorithm: DigestAlgorithm
  /** Its value in lower-case hexadecimal. */
  readonly hex: string
}

/**
 * Splits a digest into algorithm and hex.
 *
 * @throws {@link FormatError} `ERR_INVALID_DIGEST` as {@link parseDigest}.
 */
export function splitDigest(digest: Digest): SplitDigest {
  // SAFETY: the parts become paths and select the hash, and a document may name a blob by an unknown algorithm.
  parseDigest(digest)
  const colon = digest.indexOf(':')
  return { algorithm: digest.slice(0, colon) as DigestAlgorithm, hex: digest.slice(colon + 1) }
}
