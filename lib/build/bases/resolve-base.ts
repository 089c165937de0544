import { LayerStoreError, PlatformNotFoundError, ReferenceNotFoundError } from '../../errors/index.ts'
import { findDescriptor, type Image, type NamedBlobs, readImage } from '../../image/index.ts'
import type { AbortOptions } from '../../internal/abort.ts'
import { isIndexType, parseReference } from '../../oci/index.ts'
import type { RegistryClient } from '../../registry/index.ts'
import type { Store } from '../../store/index.ts'
import type { VerifyBase } from '../verify-base.ts'
import { recordDocuments } from './record-documents.ts'
import type { ResolvedBase } from './resolved-base.ts'

/** Options for resolving bases. */
export interface ResolveBaseOptions extends AbortOptions {
  /** Asked for images that the store lacks; without it only the store is. */
  readonly registry?: RegistryClient | undefined
  /** `always` asks the registry first, `never` only the store. @defaultValue `'missing'` */
  readonly pull?: 'always' | 'missing' | 'never' | undefined
  /** Verifies a base of a registry before it is used, with the digest that is used. */
  readonly verify?: VerifyBase | undefined
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
  const isIndex = async () => isIndexType((await remote.resolve(parseReference(reference), { signal })).mediaType)
  const read = async (of?: string) => {
    const documents = recordDocuments(remote)
    return { documents, ...(await readImage(documents, reference, { platform: of, signal })) }
  }
  let fetched: Awaited<ReturnType<typeof read>>
  try {
    fetched = await readFor(platform, read, isIndex)
  } catch (error) {
    signal?.throwIfAborted()
    // An image that was made here and that no registry has is used for another platform too.
    const made = pull === 'missing' && (await fromStore(store, reference, platform, options, undefined))
    if (made) return { ...made, reference }
    throw error
  }
  const { documents, ...image } = fetched
  // SAFETY: outside of the `try`, so that a refused base does not become the one of the store.
  if (options.verify) await options.verify(await documents.toVerify(reference, image.descriptor, signal))
  return { ...image, reference, index: documents.indexAbove(image.descriptor) }
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
    if (remote) return await readImage(store, reference, { platform, signal })
    return await readStoredImage(store, reference, platform, { signal })
  } catch (error) {
    const codes = ['ERR_REFERENCE_NOT_FOUND', ...(remote ? ['ERR_PLATFORM_NOT_FOUND'] : [])]
    if (LayerStoreError.is(error) && codes.includes(error.code)) return undefined
    throw error
  }
}

/** Reads an image of a store for a platform; one that exists for another platform only is used as it is. */
export async function readStoredImage(
  store: NamedBlobs,
  reference: string,
  platform: string,
  { signal }: AbortOptions,
): Promise<Image> {
  const read = (of?: string) => readImage(store, reference, { platform: of, signal })
  const isIndex = async () => isIndexType((await findDescriptor(store, reference, { signal })).mediaType)
  return readFor(platform, read, isIndex)
}

/**
 * Reads an image for a platform. An image that exists for one other platform only is used as it is, as the reference
 * does: it is what the stage names.
 */
async function readFor<T extends Image>(
  platform: string,
  read: (platform?: string) => Promise<T>,
  isIndex: () => Promise<boolean>,
): Promise<T> {
  try {
    return await read(platform)
  } catch (error) {
    if (!(error instanceof PlatformNotFoundError) || (await isIndex())) throw error
    return read()
  }
}
