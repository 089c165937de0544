import { type Digest, isDigest } from '../digest/index.ts'
import { BlobNotFoundError, SizeMismatchError } from '../errors/index.ts'
import type { AbortOptions } from '../internal/abort.ts'
import {
  type Descriptor,
  formatReference,
  type GraphNode,
  mayStayRemote,
  parseImageDocument,
  remoteLayersOf,
  walkGraph,
} from '../oci/index.ts'
import type { BlobInfo, BlobReader } from './blob-store.ts'
import { readDocument } from './read-document.ts'

/** Options of {@link assertComplete}. */
export interface AssertCompleteOptions extends AbortOptions {
  /**
   * Require every layer, also of an image whose descriptor says that its layers were left in a registry.
   * @defaultValue `false`
   */
  readonly allLayers?: boolean | undefined
  /** Layers to leave out, whether the store has them or not. Documents and configs are never left out. */
  readonly without?: ReadonlySet<Digest> | undefined
}

/**
 * Verifies that everything below a descriptor is in the store with the size that its parent states: the manifests of an
 * index, the config and layers of a manifest. Nondistributable layers may be absent, and so may the layers of an image
 * whose descriptor names the repositories that hold them (see `remoteLayersOf`). Blobs of unknown media types are
 * leaves. Documents are read and verified; layers are only looked up.
 *
 * @throws {@link BlobNotFoundError} `ERR_BLOB_NOT_FOUND` with `parent`, for the first blob that is missing.
 * @throws {@link SizeMismatchError} `ERR_SIZE_MISMATCH`, {@link FormatError} if a document is malformed, indexes are
 * nested too deep, or a digest is of an algorithm that this library cannot verify.
 */
export async function assertComplete(
  store: BlobReader,
  descriptor: Descriptor,
  options: AssertCompleteOptions = {},
): Promise<void> {
  await completeGraph(store, descriptor, options)
}

/** As {@link assertComplete}; resolves to all blobs that exist, by digest, children before their parents. */
export async function completeGraph(
  store: BlobReader,
  descriptor: Descriptor,
  options: AssertCompleteOptions = {},
): Promise<ReadonlyMap<Digest, BlobInfo>> {
  const [source] = remoteLayersOf(descriptor)
  const remote = source && { source: formatReference(source), mayLack: !options.allLayers }
  const nodes = await walkGraph(descriptor, {
    see: node => isThere(store, node, remote, options),
    read: async node =>
      parseImageDocument(await readDocument(store, node.descriptor, options), node.descriptor.mediaType),
  })
  const there = new Map<Digest, BlobInfo>()
  for (const { digest, size } of nodes.map(node => node.descriptor)) {
    if (!there.has(digest)) there.set(digest, { digest, size })
  }
  return there
}

/** The repository that holds the layers of an image, and whether the store may lack them. */
interface RemoteLayers {
  readonly source: string
  readonly mayLack: boolean
}

async function isThere(
  store: BlobReader,
  node: GraphNode,
  remote: RemoteLayers | undefined,
  options: AssertCompleteOptions,
): Promise<boolean> {
  options.signal?.throwIfAborted()
  const { parent, optional } = node
  const { digest, size } = node.descriptor
  if (options.without?.has(digest) && mayStayRemote(node.role)) return false
  // An optional blob with an unverifiable digest counts as absent; for a required one `stat` throws the error.
  const info = optional && !isDigest(digest) ? undefined : await store.stat(digest, options)
  if (!info) {
    const isRemote = remote !== undefined && mayStayRemote(node.role)
    if (optional || (isRemote && remote.mayLack)) return false
    throw new BlobNotFoundError(digest, {
      ...(parent ? { parent } : {}),
      ...(isRemote ? { source: remote.source } : {}),
    })
  }
  if (info.size !== size) {
    const what = parent ? `blob ${digest}, named by ${parent},` : `blob ${digest}`
    throw new SizeMismatchError({ expected: size, actual: info.size, what })
  }
  return true
}
