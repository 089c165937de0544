import { isDigest, parseDigest } from '../../digest/index.ts'
import { ReferenceNotFoundError } from '../../errors/index.ts'
import { namesRegistry, parseReference } from '../../oci/index.ts'
import { archiveAddress, onlyName, splitLayout, splitPlace } from '../image-place.ts'
import type { Session } from '../session.ts'
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
 * Opens an image for reading. This function alone decides where commands that only read look for a name:
 *
 * 1. A prefix says it: `store:NAME`, `docker://REF`, `oci:DIR[:TAG]`, `oci-archive:FILE[:TAG]`,
 *    `docker-archive:FILE[:NAME]`.
 * 2. A digest, and a name that the store has, is the image in the store.
 * 3. A name that begins with a registry (`ghcr.io/o/app:1`, `localhost:5000/app`) is an image in that registry.
 * 4. Any other name is an error: a mistyped name in the store must not become a request to Docker Hub.
 *
 * @throws {@link ReferenceNotFoundError}, with advice how to name an image elsewhere.
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
    return { blobs, name: tag ?? (await onlyName(blobs.references.list(), text)), isRemote: false }
  }
  if (kind === 'store') return { blobs: await session.store({ create: false }), name: rest, isRemote: false }
  if (rest !== text) return inRegistry(session, rest)
  return storedOrRemote(session, text)
}

async function storedOrRemote(session: Session, name: string): Promise<OpenedImage> {
  const store = await session.storeIfAny()
  const { signal } = session
  if (store && (isDigest(name) || (await store.references.get(name, { signal })))) {
    return { blobs: store, name, isRemote: false }
  }
  if (!isDigest(name) && namesRegistry(name)) return inRegistry(session, name)
  // A digest that is too short would be read as a tag.
  if (/^(sha256|sha512|blake3):/.test(name)) parseDigest(name)
  else parseReference(name)
  session.advice = isDigest(name)
    ? 'for an image in a registry write REPOSITORY@DIGEST'
    : `"layerstore images" lists the names; for an image in a registry write docker://${name}`
  throw new ReferenceNotFoundError(name, { where: `the store ${session.storeName}` })
}

async function inRegistry(session: Session, reference: string): Promise<OpenedImage> {
  return { blobs: new RegistryBlobs(await session.registry(), reference), name: reference, isRemote: true }
}
