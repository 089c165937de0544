import { PlatformNotFoundError } from '../errors/index.ts'
import { type Descriptor, formatPlatform, type ImageIndex, matchPlatform, type Platform } from '../spec/index.ts'

/**
 * The entry of an index that a machine of the given platform runs best. Of equal ones the first wins, as the
 * specification asks. An index of one entry that names no platform gives that entry.
 *
 * @param what - Names the index in the error.
 * @throws {@link PlatformNotFoundError} `ERR_PLATFORM_NOT_FOUND`, with the platforms there are.
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

/** The platforms of an index as text, without those of attestations (`unknown/unknown`). */
export function platformsOf(index: ImageIndex): string[] {
  return index.manifests.flatMap(({ platform }) =>
    platform && platform.os !== 'unknown' ? [formatPlatform(platform)] : [],
  )
}
