import type { Digest } from '../digest/index.ts'
import { FormatError } from '../errors/index.ts'
import type { Descriptor } from './descriptor.ts'
import type { ImageDocument } from './image-document.ts'
import { Limits } from './limits.ts'
import { isConfigType, isForeignLayerType, isIndexType, isLayerType, isManifestType } from './media-types.ts'

/** What a blob is to the document that names it. `blob` is anything that is neither document, config nor layer. */
export type BlobRole = 'index' | 'manifest' | 'config' | 'layer' | 'blob'

/** One blob that a document needs to be complete. */
export interface GraphEdge {
  /** The blob, as the document describes it. */
  readonly descriptor: Descriptor
  /** What it is to the document. */
  readonly role: BlobRole
  /** Whether the blob may be absent: layers that registries do not hold. */
  readonly optional: boolean
}

/** A blob on the way from a root down to the last layer. */
export interface GraphNode extends GraphEdge {
  /** The document that names it; `undefined` for the root. */
  readonly parent: Digest | undefined
  /** Number of documents above it. */
  readonly depth: number
}

/** How {@link walkGraph} looks at the graph. */
export interface GraphReader {
  /** Told of every node before those below it. `false` leaves it out, with everything below it. */
  see?(node: GraphNode): boolean | Promise<boolean>
  /** The document behind a node whose role is manifest or index. Called once for each. */
  read(node: GraphNode): Promise<ImageDocument>
}

/**
 * Whether something stands below a blob. SPEC: an index may name blobs of any kind; only manifests and indexes are read to
 * find more of them (image-index.md, manifests). Everything else is a leaf, whatever its bytes mention.
 */
export function isDocumentRole(role: BlobRole): boolean {
  return role === 'index' || role === 'manifest'
}

/** What a blob is by its media type. */
export function roleOf({ mediaType }: Descriptor): BlobRole {
  if (isIndexType(mediaType)) return 'index'
  if (isManifestType(mediaType)) return 'manifest'
  if (isConfigType(mediaType)) return 'config'
  return isLayerType(mediaType) ? 'layer' : 'blob'
}

/** The blobs that a document needs, in its order: the entries of an index; the config and the layers of a manifest. */
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
 * Refuses a document that stands too deep.
 *
 * SAFETY: a document names what is below it by digest, so it cannot contain itself; only the depth needs a bound.
 *
 * @throws `FormatError` `ERR_INVALID_INDEX`.
 */
export function assertIndexDepth(depth: number, { digest }: Descriptor): void {
  if (depth <= Limits.indexDepth) return
  throw new FormatError('ERR_INVALID_INDEX', `indexes nested deeper than ${Limits.indexDepth}, down to ${digest}`)
}

/**
 * Everything below a root and the root itself, children before their parents. A blob that is named with several sizes or
 * media types comes once for each: all of them have to be right.
 *
 * @throws `FormatError` `ERR_INVALID_INDEX` for indexes that nest too deep; whatever the reader throws.
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
