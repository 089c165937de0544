import { PlatformNotFoundError } from '../errors/index.ts'
import {
  asPlatform,
  type Descriptor,
  formatPlatform,
  type ImageIndex,
  isDocumentRole,
  matchPlatform,
  type Platform,
  roleOf,
} from '../oci/index.ts'

/**
 * Selects the entry of an index that fits a platform best. The first of equally good entries wins, as the specification
 * asks. An index with one entry and no platform yields that entry. Entries that are neither manifest nor index are
 * passed over, unless no other one fits: then the best of them is returned, so that its reader names its type.
 *
 * @example
 * ```ts
 * const { digest } = selectPlatform(index, parsePlatform('linux/arm64'))
 * ```
 *
 * @param wanted - The platform, as text or as an object.
 * @param what - Name of the index in the error.
 * @throws {@link PlatformNotFoundError} `ERR_PLATFORM_NOT_FOUND`, with the platforms of the index;
 * {@link FormatError} `ERR_INVALID_PLATFORM`.
 * @see {@link https://github.com/opencontainers/image-spec/blob/v1.1.1/image-index.md | image-spec: index}
 */
export function selectPlatform(index: ImageIndex, wanted: string | Platform, what = 'the index'): Descriptor {
  const platform = asPlatform(wanted)
  const [only] = index.manifests
  if (index.manifests.length === 1 && only && !only.platform) return only
  const documents = index.manifests.filter(entry => isDocumentRole(roleOf(entry)))
  const best = bestOf(documents, platform) ?? bestOf(index.manifests, platform)
  if (best) return best
  throw new PlatformNotFoundError({ wanted: formatPlatform(platform), available: platformsOf(index), what })
}

function bestOf(entries: readonly Descriptor[], platform: Platform): Descriptor | undefined {
  let best: { entry: Descriptor; rank: number } | undefined
  for (const entry of entries) {
    const rank = entry.platform ? matchPlatform(platform, entry.platform) : 0
    if (rank > (best?.rank ?? 0)) best = { entry, rank }
  }
  return best?.entry
}

/**
 * The platforms of an index as text, except attestations (`unknown/unknown`).
 *
 * @example
 * ```ts
 * console.log(platformsOf(index)) // ['linux/amd64', 'linux/arm64']
 * ```
 */
export function platformsOf(index: ImageIndex): string[] {
  return index.manifests.flatMap(({ platform }) =>
    platform && platform.os !== 'unknown' ? [formatPlatform(platform)] : [],
  )
}
