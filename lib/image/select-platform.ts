import { PlatformNotFoundError } from '../errors/index.ts'
import { type Descriptor, formatPlatform, type ImageIndex, matchPlatform, type Platform } from '../spec/index.ts'

/**
 * Selects the entry of an index that fits a platform best. The first of equally good entries wins, as the specification
 * asks. An index with one entry and no platform yields that entry.
 *
 * @param what - Name of the index in the error.
 * @throws {@link PlatformNotFoundError} `ERR_PLATFORM_NOT_FOUND`, with the platforms of the index.
 * @see {@link https://github.com/opencontainers/image-spec/blob/v1.1.1/image-index.md | image-spec: index}
 */
export function selectPlatform(index: ImageIndex, platform: Platform, what = 'the index'): Descriptor {
  const [only] = index.manifests
  if (index.manifests.length === 1 && only && !only.platform) return only
  let best: { descriptor: Descriptor; rank: number } | undefined
  for (const descriptor of index.manifests) {
    const rank = descriptor.platform ? matchPlatform(platform, descriptor.platform) : 0
    if (rank > (best?.rank ?? 0)) best = { descriptor, rank }
  }
  if (best) return best.descriptor
  throw new PlatformNotFoundError({ wanted: formatPlatform(platform), available: platformsOf(index), what })
}

/** The platforms of an index as text, except attestations (`unknown/unknown`). */
export function platformsOf(index: ImageIndex): string[] {
  return index.manifests.flatMap(({ platform }) =>
    platform && platform.os !== 'unknown' ? [formatPlatform(platform)] : [],
  )
}
