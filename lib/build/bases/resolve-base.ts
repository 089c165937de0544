import { LayerStoreError, ReferenceNotFoundError } from '../../errors/index.ts'
import { type Image, readImage } from '../../image/index.ts'
import type { AbortOptions } from '../../internal/abort.ts'
import { matchPlatform, parsePlatform, platformOfConfig } from '../../oci/index.ts'
import type { RegistryClient } from '../../registry/index.ts'
import type { Store } from '../../store/index.ts'
import type { ResolvedBase } from './resolved-base.ts'

/** Options for resolving bases. */
export interface ResolveBaseOptions extends AbortOptions {
  /** Asked for images that the store lacks; without it only the store is. */
  readonly registry?: RegistryClient | undefined
  /** `always` asks the registry first, `never` only the store. @defaultValue `'missing'` */
  readonly pull?: 'always' | 'missing' | 'never' | undefined
}

/**
 * Finds the image that a stage starts from, in the store or in a registry. Of a registry only manifest and config are
 * read. Nothing is written.
 *
 * @param platform - As `os/architecture[/variant]`.
 * @throws {@link ReferenceNotFoundError} `ERR_REFERENCE_NOT_FOUND`; {@link PlatformNotFoundError}; the errors of the
 * registry.
 */
export async function resolveBase(
  store: Store,
  reference: string,
  platform: string,
  options: ResolveBaseOptions = {},
): Promise<ResolvedBase> {
  const { registry, pull = 'missing', signal } = options
  const remote = registry && pull !== 'never' ? registry : undefined
  const stored = pull === 'always' && remote ? undefined : await fromStore(store, reference, platform, options, remote)
  if (stored) return { ...stored, reference }
  if (!remote) throw new ReferenceNotFoundError(reference)
  return { ...(await readImage(remote, reference, { platform, signal })), reference }
}

/** @param remote - A registry that may have the image for a platform that the store has not. */
async function fromStore(
  store: Store,
  reference: string,
  platform: string,
  { signal }: AbortOptions,
  remote: RegistryClient | undefined,
): Promise<Image | undefined> {
  try {
    const image = await readImage(store, reference, { platform, signal })
    const own = platformOfConfig(image.config)
    const isOther = own !== undefined && matchPlatform(parsePlatform(platform), own) === 0
    return remote && isOther ? undefined : image
  } catch (error) {
    const codes = ['ERR_REFERENCE_NOT_FOUND', ...(remote ? ['ERR_PLATFORM_NOT_FOUND'] : [])]
    if (LayerStoreError.is(error) && codes.includes(error.code)) return undefined
    throw error
  }
}
