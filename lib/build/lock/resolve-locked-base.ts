import { LayerStoreError } from '../../errors/index.ts'
import type { Image } from '../../image/index.ts'
import { formatReference, parseReference } from '../../oci/index.ts'
import type { Store } from '../../store/index.ts'
import { assertLocked, type FixedBase } from '../bases/fixed-base.ts'
import { type ResolveBaseOptions, readStoredImage, resolveBase } from '../bases/resolve-base.ts'
import type { ResolvedBase } from '../bases/resolved-base.ts'

/**
 * Finds the image that a lock has for a base: in the store, else in the repository of the base.
 *
 * @throws {@link BuildError} `ERR_BUILD_LOCK` if the index that the lock names lists another image; as `resolveBase`.
 */
export async function resolveLockedBase(
  store: Store,
  fixed: FixedBase,
  options: ResolveBaseOptions,
): Promise<ResolvedBase> {
  const { reference, platform, digest, index } = fixed
  const stored = await readStored(store, fixed, options)
  if (stored) return { ...stored, reference, index }
  const { registry, repository } = parseReference(reference)
  // A policy accepts a signature of the index too. Without a policy the manifest alone is enough.
  const asked = formatReference({ registry, repository, digest: options.verify && index ? index : digest })
  const found = await resolveBase(store, asked, platform, options)
  assertLocked(fixed, found.descriptor.digest, asked)
  return { ...found, reference, index }
}

/** A digest means the same everywhere, so the store is read first, also with `pull: 'always'`. */
async function readStored(
  store: Store,
  { reference, platform, digest }: FixedBase,
  options: ResolveBaseOptions,
): Promise<Image | undefined> {
  const { registry, pull, verify, signal } = options
  const isRemote = registry !== undefined && pull !== 'never'
  if (isRemote && verify && pull === 'always') return undefined
  // The name comes first, as it has the repositories of layers that the store lacks.
  const named = await readIfAny(store, reference, platform, options)
  if (named?.descriptor.digest === digest) return named
  // SAFETY: images with a name were verified when they got it. A blob without one may be of an image that was refused,
  // and with `pull: 'never'` nothing can verify it.
  if (verify) return undefined
  const found = await readIfAny(store, digest, platform, options)
  if (!isRemote || !found) return found
  for (const { descriptor } of found.layers) if (!(await store.stat(descriptor.digest, { signal }))) return undefined
  return found
}

async function readIfAny(
  store: Store,
  name: string,
  platform: string,
  { signal }: ResolveBaseOptions,
): Promise<Image | undefined> {
  try {
    return await readStoredImage(store, name, platform, { signal })
  } catch (error) {
    const codes = ['ERR_REFERENCE_NOT_FOUND', 'ERR_PLATFORM_NOT_FOUND']
    if (LayerStoreError.is(error) && codes.includes(error.code)) return undefined
    throw error
  }
}
