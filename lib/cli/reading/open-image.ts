import { archiveAddress, nameInLayout, splitLayout, splitPlace } from '../places/image-place.ts'
import { placeOf } from '../places/name-place.ts'
import type { Session } from '../session/session.ts'
import type { ImageBlobs } from './image-blobs.ts'
import { RegistryBlobs } from './registry-blobs.ts'

/** An image that a command reads. */
export interface OpenedImage {
  readonly blobs: ImageBlobs
  /** Name of the image in `blobs`. */
  readonly name: string
  /** True if the blobs are read from a registry: every read is a request. */
  readonly isRemote: boolean
}

/**
 * Opens an image for reading: `oci:DIR[:TAG]`, `oci-archive:FILE[:TAG]`, `docker-archive:FILE[:NAME]`, or a name or a
 * reference, which {@link placeOf} tells apart.
 */
export async function openImage(session: Session, text: string): Promise<OpenedImage> {
  const archive = await archiveAddress(text)
  if (archive) {
    const opened = await session.archive(archive)
    const { descriptor, labels } = opened.find(archive.image)
    const references = { get: async () => descriptor }
    const { derived } = await session.memoryStore()
    const [stat, read] = [opened.stat.bind(opened), opened.read.bind(opened)]
    return { blobs: { stat, read, references, derived }, name: labels[0] ?? descriptor.digest, isRemote: false }
  }
  const { kind, rest } = splitPlace(text)
  if (kind === 'oci') {
    const { directory, tag } = splitLayout(rest)
    const blobs = await session.layout(directory, { readOnly: true })
    return { blobs, name: await nameInLayout(blobs, text, tag), isRemote: false }
  }
  const place = await placeOf(session, text)
  if (place.where === 'store') return { blobs: place.store, name: place.name, isRemote: false }
  await session.noteDefaults(place.name)
  return { blobs: new RegistryBlobs(await session.registry(), place.name), name: place.name, isRemote: true }
}
