import type { Digest } from '../digest/index.ts'
import { FormatError } from '../errors/index.ts'
import type { Descriptor } from './descriptor.ts'
import type { ImageDocument } from './image-document.ts'
import { Limits } from './limits.ts'
import { isConfigType, isForeignLayerType, isIndexType, isLayerType, isManifestType } from './media-types.ts'

/** Role of a blob in the document that names it. `blob` is any other role than document, config and layer. */
export type BlobRole = 'index' | 'manifest' | 'config' | 'layer' | 'blob'

/** One blob that a document needs to be complete. */
export interface GraphEdge {
  /** Descriptor of the blob in the document. */
  readonly descriptor: Descriptor
  /** Role of the blob in the document. */
  readonly role: BlobRole
  /** True if the blob may be absent: a layer that registries do not hold. */
  readonly optional: boolean
}

/** A blob on the path from a root to its leaves. */
export interface GraphNode extends GraphEdge {
  /** Digest of the document that names the blob; `undefined` for the root. */
  readonly parent: Digest | undefined
  /** Number of documents above it. */
  readonly depth: number
}

/** Callbacks of {@link walkGraph}. */
export interface GraphReader {
  /** Called for every node before its children. `false` skips the node and everything below it. */
  see?(node: GraphNode): boolean | Promise<boolean>
  /** Reads the document of a manifest or index node. Called once per node. */
  read(node: GraphNode): Promise<ImageDocument>
}

/**
 * True if a blob has children. SPEC: an index may name blobs of any kind; only manifests and indexes are read for
 * children (image-index.md, manifests). Every other blob is a leaf, even if its bytes mention digests.
 */
export function isDocumentRole(role: BlobRole): boolean {
  return role === 'index' || role === 'manifest'
}

/** Role of a blob according to its media type. */
export function roleOf({ mediaType }: Descriptor): BlobRole {
  if (isIndexType(mediaType)) return 'index'
  if (isManifestType(mediaType)) return 'manifest'
  if (isConfigType(mediaType)) return 'config'
  return isLayerType(mediaType) ? 'layer' : 'blob'
}

/**
 * Returns the blobs that a document needs, in its order: the entries of an index; the config and the layers of a
 * manifest.
 */
export function edgesOf(document: ImageDocument): readonly GraphEdge[] {
  if (document.kind === 'index')
    return document.index.manifests.map(descriptor => edgeTo(descriptor, roleOf(descriptor)))
  const { config, layers } = document.manifest
  return [edgeTo(config, 'config'), ...layers.map(layer => edgeTo(layer, roleOf(layer)))]
}

function edgeTo(descriptor: Descriptor, role: BlobRole): GraphEdge {
  return { descriptor, role, optional: isForeignLayerType(descriptor.mediaType) }
}

/**
 * Rejects a document below too many indexes.
 *
 * SAFETY: a document names its children by digest, so it cannot contain itself, but indexes may nest to any depth, and
 * the walk recurses at each level; the limit keeps it from overflowing the stack.
 *
 * @throws `FormatError` `ERR_INVALID_INDEX`.
 */
export function assertIndexDepth(depth: number, { digest }: Descriptor): void {
  if (depth <= Limits.indexDepth) return
  throw new FormatError('ERR_INVALID_INDEX', `indexes nested deeper than ${Limits.indexDepth}, down to ${digest}`)
}

/**
 * Returns a root and everything below it, children before their parents. If a blob is named with several sizes or media
 * types, it is returned once for each, because all of them have to be right.
 *
 * @throws `FormatError` `ERR_INVALID_INDEX` for indexes that nest too deep; the errors of the reader.
 */
export async function walkGraph(root: Descriptor, reader: GraphReader): Promise<GraphNode[]> {
  const seen = new Set<string>()
  const nodes: GraphNode[] = []
  const visit = async (node: GraphNode): Promise<void> => {
    const { digest, size, mediaType } = node.descriptor
    const key = `${digest} ${size} ${mediaType}`
    if (seen.has(key)) return
    seen.add(key)
    if (reader.see && !(await reader.see(node))) return
    if (isDocumentRole(node.role)) {
      assertIndexDepth(node.depth, node.descriptor)
      const edges = edgesOf(await reader.read(node))
      for (const edge of edges) await visit({ ...edge, parent: digest, depth: node.depth + 1 })
    }
    nodes.push(node)
  }
  await visit({ ...edgeTo(root, roleOf(root)), parent: undefined, depth: 0 })
  return nodes
}
