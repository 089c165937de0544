import { isDigest } from '../../digest/index.ts'
import { FormatError } from '../../errors/index.ts'
import { findDescriptor, readImage } from '../../image/index.ts'
import type { AbortOptions } from '../../internal/abort.ts'
import { type Descriptor, isIndexType, type Platform } from '../../oci/index.ts'
import { namesIn, type Store } from '../../store/index.ts'
import { entryNameOf } from '../formats/entry-name.ts'

/** An image to be written, and the name it gets in the archive. */
export interface ImageToWrite {
  /** A name in the store, a digest, or what the image is. */
  readonly image: string | Descriptor
  /** Its name in the archive: a reference, or any other word by which it is to be found there. */
  readonly name?: string | undefined
}

/** An image as it stands in an archive. */
export interface WrittenImage {
  /** Its manifest or index. */
  readonly descriptor: Descriptor
  /** Its names. */
  readonly names: readonly string[]
}

/** The images to be written, each once with all of its names, in the order given. */
export async function resolveImages(
  store: Store,
  images: readonly (string | ImageToWrite)[],
  options: AbortOptions & { readonly platform?: Platform | undefined },
): Promise<WrittenImage[]> {
  const written = new Map<string, WrittenImage>()
  const taken = new Map<string, string>()
  for (const wanted of images) {
    const { image, name } = typeof wanted === 'string' ? { image: wanted, name: undefined } : wanted
    const root = typeof image === 'string' ? await findDescriptor(store, image, options) : image
    const descriptor = await partOf(store, root, options)
    const given = name ?? (typeof image === 'string' ? await nameOf(store, image, options) : undefined)
    const before = written.get(descriptor.digest)
    written.set(descriptor.digest, {
      descriptor: before?.descriptor ?? descriptor,
      names: [...new Set([...(before?.names ?? []), ...(given === undefined ? [] : [given])])],
    })
    if (given === undefined) continue
    if ((taken.get(given) ?? descriptor.digest) !== descriptor.digest) {
      throw new FormatError('ERR_INVALID_ARGUMENT', `two images cannot both be ${JSON.stringify(given)} in an archive`)
    }
    taken.set(given, descriptor.digest)
  }
  return [...written.values()]
}

async function partOf(
  store: Store,
  root: Descriptor,
  options: AbortOptions & { readonly platform?: Platform | undefined },
): Promise<Descriptor> {
  if (!options.platform || !isIndexType(root.mediaType)) return root
  return (await readImage(store, root, options)).descriptor
}

/** The name under which the store keeps what was asked for; a digest has none. */
async function nameOf(store: Store, asked: string, options: AbortOptions): Promise<string | undefined> {
  if (isDigest(asked)) return undefined
  const kept = entryNameOf(asked)
  if (kept === undefined || kept === asked) return asked
  return (await namesIn(store, options)).includes(asked) ? asked : kept
}
