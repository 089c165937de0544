import { BlobNotFoundError, FormatError, PlatformNotFoundError } from '../../errors/index.ts'
import { platformsOf, selectPlatform } from '../../image/index.ts'
import type { AbortOptions } from '../../internal/abort.ts'
import {
  type Descriptor,
  formatPlatform,
  hostPlatform,
  type ImageIndex,
  isDocumentRole,
  isIndexType,
  Limits,
  type Platform,
  parseImageDocument,
  roleOf,
} from '../../oci/index.ts'
import { assertComplete, type BlobReader, readDocument } from '../../store/index.ts'

/** The chosen part of an image in an archive. */
export interface ChosenArchiveRoot {
  /** A manifest, or an index that is complete in the archive. */
  readonly descriptor: Descriptor
  /** Platforms of the index that are left out. */
  readonly platformsLeftOut: readonly string[]
}

/** Options of {@link chooseArchiveRoot}. */
interface ChooseRootOptions extends AbortOptions {
  readonly platform?: string | Platform | undefined
  /**
   * Images whose layers the archive omits. If it is not empty, a part of the archive is never taken instead of the
   * whole.
   */
  readonly requires: readonly string[]
}

function lacking(missing: BlobNotFoundError, requires: readonly string[]): BlobNotFoundError {
  return new BlobNotFoundError(missing.digest, { parent: missing.parent, requires, cause: missing })
}

/**
 * Chooses the part of an image to take: all of it if it is complete and no platform was requested. docker and
 * containerd save indexes without the platforms that they lack; from such an index the image for this machine is taken,
 * or the only complete one.
 *
 * @throws {@link BlobNotFoundError} `ERR_BLOB_NOT_FOUND` if the chosen part is incomplete.
 * @throws {@link PlatformNotFoundError} `ERR_PLATFORM_NOT_FOUND`.
 */
export async function chooseArchiveRoot(
  reader: BlobReader,
  root: Descriptor,
  options: ChooseRootOptions,
): Promise<ChosenArchiveRoot> {
  let descriptor = root
  let platformsLeftOut: string[] = []
  for (let depth = 0; depth <= Limits.indexDepth; depth++) {
    const isIndex = isIndexType(descriptor.mediaType)
    // If one platform of an index is requested, the other platforms are not examined.
    const missing = isIndex && options.platform ? undefined : await missingBelow(reader, descriptor, options)
    if (missing && options.requires.length > 0) throw lacking(missing, options.requires)
    if (!isIndex || (!missing && !options.platform)) {
      if (missing) throw missing
      return { descriptor, platformsLeftOut }
    }
    const document = parseImageDocument(await readDocument(reader, descriptor, options), descriptor.mediaType)
    if (document.kind !== 'index') break
    const chosen = await choosePart(reader, document.index, descriptor, options)
    const taken = chosen.platform && formatPlatform(chosen.platform)
    platformsLeftOut = platformsOf(document.index).filter(platform => platform !== taken)
    descriptor = chosen
  }
  throw new FormatError('ERR_INVALID_INDEX', `indexes nested deeper than ${Limits.indexDepth}: ${root.digest}`)
}

async function choosePart(
  reader: BlobReader,
  index: ImageIndex,
  descriptor: Descriptor,
  options: AbortOptions & { readonly platform?: string | Platform | undefined },
): Promise<Descriptor> {
  if (options.platform) return selectPlatform(index, options.platform, descriptor.digest)
  const whole: Descriptor[] = []
  for (const part of index.manifests) {
    const isImage = isDocumentRole(roleOf(part)) && part.platform?.os !== 'unknown'
    if (isImage && !(await missingBelow(reader, part, options))) whole.push(part)
  }
  const [only] = whole
  if (whole.length === 1 && only) return only
  const first = index.manifests[0]
  if (whole.length === 0 && first) throw new BlobNotFoundError(first.digest, { parent: descriptor.digest })
  try {
    return selectPlatform({ ...index, manifests: whole }, hostPlatform(), descriptor.digest)
  } catch (error) {
    if (!(error instanceof PlatformNotFoundError)) throw error
    throw new PlatformNotFoundError({
      wanted: error.wanted,
      available: error.available,
      what: `${descriptor.digest}, which is incomplete in the archive`,
    })
  }
}

async function missingBelow(
  reader: BlobReader,
  descriptor: Descriptor,
  options: AbortOptions,
): Promise<BlobNotFoundError | undefined> {
  try {
    await assertComplete(reader, descriptor, options)
    return undefined
  } catch (error) {
    if (error instanceof BlobNotFoundError) return error
    throw error
  }
}
