import { type Digest, isDigest } from '../digest/index.ts'
import { BlobNotFoundError, SizeMismatchError } from '../errors/index.ts'
import type { AbortOptions } from '../internal/abort.ts'
import { type Descriptor, type GraphNode, parseImageDocument, walkGraph } from '../oci/index.ts'
import type { BlobInfo, BlobReader } from './blob-store.ts'
import { readDocument } from './read-document.ts'

/**
 * Verifies that everything below a descriptor is in the store with the size that its parent states: the manifests of an
 * index, the config and layers of a manifest. Nondistributable layers may be absent. Blobs of unknown media types are
 * leaves. Documents are read and verified; layers are only looked up.
 *
 * @throws {@link BlobNotFoundError} `ERR_BLOB_NOT_FOUND` with `parent`, for the first blob that is missing.
 * @throws {@link SizeMismatchError} `ERR_SIZE_MISMATCH`, {@link FormatError} if a document is malformed, indexes are
 * nested too deep, or a digest is of an algorithm that this library cannot verify.
 */
export async function assertComplete(
  store: BlobReader,
  descriptor: Descriptor,
  options: AbortOptions = {},
): Promise<void> {
  await completeGraph(store, descriptor, options)
}

/** As {@link assertComplete}; resolves to all blobs that exist, by digest, children before their parents. */
export async function completeGraph(
  store: BlobReader,
  descriptor: Descriptor,
  options: AbortOptions = {},
): Promise<ReadonlyMap<Digest, BlobInfo>> {
  const nodes = await walkGraph(descriptor, {
    see: node => isThere(store, node, options),
    read: async node =>
      parseImageDocument(await readDocument(store, node.descriptor, options), node.descriptor.mediaType),
  })
  const there = new Map<Digest, BlobInfo>()
  for (const { digest, size } of nodes.map(node => node.descriptor)) {
    if (!there.has(digest)) there.set(digest, { digest, size })
  }
  return there
}

async function isThere(store: BlobReader, node: GraphNode, options: AbortOptions): Promise<boolean> {
  options.signal?.throwIfAborted()
  const { parent, optional } = node
  const { digest, size } = node.descriptor
  // An optional blob with an unverifiable digest counts as absent; for a required one `stat` throws the error.
  const info = optional && !isDigest(digest) ? undefined : await store.stat(digest, options)
  if (!info) {
    if (optional) return false
    throw new BlobNotFoundError(digest, parent ? { parent } : {})
  }
  if (info.size !== size) {
    const what = parent ? `blob ${digest}, named by ${parent},` : `blob ${digest}`
    throw new SizeMismatchError({ expected: size, actual: info.size, what })
  }
  return true
}
