import { verifyBytes } from '../digest/index.ts'
import { FormatError } from '../errors/index.ts'
import type { AbortOptions } from '../internal/abort.ts'
import { Annotation, type Descriptor, parseImageDocument, type Reference } from '../oci/index.ts'
import { readDocument } from '../store/index.ts'
import type { Artifact } from './compose-artifact.ts'
import { findDescriptor, type NamedBlobs } from './read-image.ts'
import { isRegistry, openRegistryImage, type RegistryReader } from './registry-reader.ts'

/** One blob of an artifact, as it is read. */
export interface ArtifactBlob {
  /** Descriptor of the blob. */
  readonly descriptor: Descriptor
  /** Title of the blob, usually the name of a file; absent if it has none. Do not use it as a path unchecked. */
  readonly title?: string
  /** Reads the blob. The loop ends only if all bytes match the digest. */
  read(options?: AbortOptions): AsyncIterable<Uint8Array>
}

/** An artifact that was read: its manifest, and its blobs to be read. */
export interface OpenedArtifact extends Artifact {
  /** The blobs, in the order of the manifest. */
  readonly layers: readonly ArtifactBlob[]
}

/**
 * Reads the manifest of an artifact of a store or of a registry: a report, a cache, a feature of a dev container, a
 * chart. Its blobs are read, and verified, when the caller asks for them.
 *
 * @example
 * ```ts
 * const { layers } = await readArtifact(registry, 'ghcr.io/devcontainers/features/node:1')
 * for await (const { path } of readTar(layers[0]!.read())) console.log(path)
 * ```
 *
 * @throws {@link FormatError} `ERR_UNSUPPORTED_MEDIA_TYPE` for an index; {@link ReferenceNotFoundError},
 * {@link RegistryError}, and the errors of malformed documents. Reading a blob throws the errors of its source, and
 * {@link DigestMismatchError} or {@link BlobCorruptError}.
 */
export async function readArtifact(
  from: NamedBlobs | RegistryReader,
  name: string | Reference,
  options: AbortOptions = {},
): Promise<OpenedArtifact> {
  if (isRegistry(from)) {
    const { root, repository, read } = await openRegistryImage(from, name, options)
    const content = (blob: Descriptor, signal: AbortOptions) =>
      verifyBytes(from.fetchBlob(repository, blob, signal), blob)
    return opened(root, await read(root), content)
  }
  if (typeof name !== 'string') throw new FormatError('ERR_INVALID_ARGUMENT', 'an artifact in a store is named by text')
  const root = await findDescriptor(from, name, options)
  const bytes = await readDocument(from, root, options)
  return opened(root, bytes, ({ digest }, signal) => from.read(digest, { ...signal, verify: 'always' }))
}

function opened(
  descriptor: Descriptor,
  bytes: Uint8Array,
  content: (blob: Descriptor, options: AbortOptions) => AsyncIterable<Uint8Array>,
): OpenedArtifact {
  const document = parseImageDocument(bytes, descriptor.mediaType)
  if (document.kind === 'index') {
    throw new FormatError('ERR_UNSUPPORTED_MEDIA_TYPE', `${descriptor.digest} is an index, not an artifact`)
  }
  const { manifest } = document
  const layers = manifest.layers.map((blob): ArtifactBlob => {
    const { annotations } = blob
    const title =
      annotations && Object.hasOwn(annotations, Annotation.Title) ? annotations[Annotation.Title] : undefined
    const read = (options: AbortOptions = {}) => content(blob, options)
    return title === undefined ? { descriptor: blob, read } : { descriptor: blob, title, read }
  })
  return { descriptor, manifest, layers }
}
