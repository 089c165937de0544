import { isDigest } from '../../digest/index.ts'
import { FormatError } from '../../errors/index.ts'
import { findDescriptor, readImage } from '../../image/index.ts'
import type { AbortOptions } from '../../internal/abort.ts'
import { type Descriptor, isIndexType, type Platform, withRemoteLayers } from '../../oci/index.ts'
import { namesIn, type Store } from '../../store/index.ts'
import { entryNameOf } from '../formats/entry-name.ts'

/** An image to write, and its name in the archive. */
export interface ImageToWrite {
  /** A name in the store, a digest, or a descriptor. */
  readonly image: string | Descriptor
  /** Name in the archive: a reference, or any other word that finds the image in the archive. */
  readonly name?: string | undefined
}

/** An image as it is written to the archive. */
export interface WrittenImage {
  /** Descriptor of its manifest or index. */
  readonly descriptor: Descriptor
  /** Names in the archive. */
  readonly names: readonly string[]
}

/** Resolves the images to write, each once with all its names, in the given order. */
export async function resolveImages(
  store: Store,
  images: readonly (string | ImageToWrite)[],
  options: AbortOptions & { readonly platform?: string | Platform | undefined },
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
      throw new FormatError(
        'ERR_INVALID_ARGUMENT',
        `two images cannot have one name in an archive: ${JSON.stringify(given)}`,
      )
    }
    taken.set(given, descriptor.digest)
  }
  return [...written.values()]
}

async function partOf(
  store: Store,
  root: Descriptor,
  options: AbortOptions & { readonly platform?: string | Platform | undefined },
): Promise<Descriptor> {
  if (!options.platform || !isIndexType(root.mediaType)) return root
  const { descriptor, remoteLayers = [] } = await readImage(store, root, options)
  return withRemoteLayers(descriptor, remoteLayers)
}

/** Resolves to the name under which the store keeps the requested image; a digest has no name. */
async function nameOf(store: Store, asked: string, options: AbortOptions): Promise<string | undefined> {
  if (isDigest(asked)) return undefined
  const kept = entryNameOf(asked)
  if (kept === undefined || kept === asked) return asked
  return (await namesIn(store, options)).includes(asked) ? asked : kept
}
