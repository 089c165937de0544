import { type Digest, parseDigest, splitDigest } from '../../digest/index.ts'

/**
 * Returns the tag under which clients keep the list of a manifest's referrers if the registry has no referrers API.
 *
 * @see
 * {@link https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#referrers-tag-schema | referrers tag schema}
 */
export function fallbackTag(digest: Digest): string {
  const { algorithm, hex } = splitDigest(parseDigest(digest))
  return `${algorithm.slice(0, 32)}-${hex.slice(0, 64)}`
}
