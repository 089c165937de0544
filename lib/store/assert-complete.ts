import { type Digest, isDigest } from '../digest/index.ts'
import { BlobNotFoundError, FormatError, SizeMismatchError } from '../errors/index.ts'
import type { AbortOptions } from '../internal/abort.ts'
import {
  type Descriptor,
  formatReference,
  type GraphNode,
  type ImageManifest,
  isImageManifest,
  mayStayRemote,
  parseConfig,
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
  return walkStored(store, descriptor, options)
}

/**
 * As {@link completeGraph}, for an image that will get a name. The config of each image must be valid too, because
 * every function that reads the image by its name parses it. The config of an artifact is not read, and with
 * `anyConfig` none is.
 *
 * @throws {@link FormatError} `ERR_INVALID_CONFIG` besides.
 */
export async function nameableGraph(
  store: BlobReader,
  descriptor: Descriptor,
  options: AssertCompleteOptions & { readonly anyConfig?: boolean | undefined } = {},
): Promise<ReadonlyMap<Digest, BlobInfo>> {
  if (options.anyConfig) return walkStored(store, descriptor, options)
  const manifests: ImageManifest[] = []
  const there = await walkStored(store, descriptor, options, manifest => manifests.push(manifest))
  for (const { config } of manifests.filter(isImageManifest)) {
    const bytes = await readDocument(store, config, options)
    try {
      parseConfig(bytes)
    } catch (cause) {
      if (!(cause instanceof FormatError)) throw cause
      throw new FormatError(cause.code, `${cause.message}: ${config.digest}, which an image names`, { cause })
    }
  }
  return there
}

async function walkStored(
  store: BlobReader,
  descriptor: Descriptor,
  options: AssertCompleteOptions,
  onManifest?: (manifest: ImageManifest) => void,
): Promise<ReadonlyMap<Digest, BlobInfo>> {
  const [source] = remoteLayersOf(descriptor)
  const remote = source && { source: formatReference(source), mayLack: !options.allLayers }
  const nodes = await walkGraph(descriptor, {
    see: node => isThere(store, node, remote, options),
    read: async node => {
      const document = parseImageDocument(
        await readDocument(store, node.descriptor, options),
        node.descriptor.mediaType,
      )
      if (document.kind === 'manifest') onManifest?.(document.manifest)
      return document
    },
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
