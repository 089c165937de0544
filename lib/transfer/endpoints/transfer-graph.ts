import { type Digest, parseDigest } from '../../digest/index.ts'
import { FormatError, LimitError } from '../../errors/index.ts'
import {
  type Descriptor,
  type ImageDocument,
  isConfigType,
  isDocumentRole,
  Limits,
  roleOf,
  type GraphNode as SpecNode,
  walkGraph as walkDocuments,
} from '../../oci/index.ts'
import { isDocument, type PlanStep } from '../plan.ts'

/** One blob of an image and its role in it. */
export type TransferNode = Pick<PlanStep, 'kind' | 'descriptor' | 'content' | 'belowRoot' | 'tags'>

/**
 * Returns a manifest or index and everything below it, each once, children before their parents.
 *
 * @throws {@link FormatError} `ERR_INVALID_DIGEST` for a blob that cannot be verified.
 * @param read - Reads the document of a descriptor; called for manifests and indexes only.
 */
export async function walkTransferGraph(
  root: Descriptor,
  read: (descriptor: Descriptor) => Promise<ImageDocument>,
): Promise<TransferNode[]> {
  if (!isDocumentRole(roleOf(root))) refuseRoot(root)
  const found = await walkDocuments(root, {
    see: node => {
      // An unsupported digest algorithm is reported before any blob moves.
      if (!node.optional) parseDigest(node.descriptor.digest)
      if (node.role === 'config') checkConfigSize(node.descriptor)
      return true
    },
    read: node => read(node.descriptor),
  })
  const nodes = new Map<Digest, TransferNode>()
  for (const node of found.map(stepOf)) {
    const { digest } = node.descriptor
    const known = nodes.get(digest)
    // A blob with several parents moves once. If one parent lists it as a document, it moves as a document, after its
    // children.
    if (known && (isDocument(known) || !isDocument(node))) continue
    nodes.delete(digest)
    nodes.set(digest, node)
  }
  return [...nodes.values()]
}

function stepOf({ role, descriptor, optional }: SpecNode): TransferNode {
  if (role === 'index' || role === 'manifest') return { kind: role, descriptor }
  if (optional) return { kind: 'blob', descriptor }
  return { kind: role === 'config' ? 'config' : 'layer', descriptor }
}

/**
 * SAFETY: a document that cannot be parsed (Docker's schema 1, or an unknown type) does not tell which blobs it needs,
 * so the copy could not be complete.
 */
function refuseRoot({ mediaType, digest }: Descriptor): never {
  const message = `${digest} is neither manifest nor index: media type ${mediaType}`
  throw new FormatError('ERR_UNSUPPORTED_MEDIA_TYPE', message)
}

/**
 * SAFETY: readers of an image hold its config in memory as a whole. A manifest may declare a huge config, so its size
 * is checked here, before it moves.
 */
function checkConfigSize({ mediaType, digest, size }: Descriptor): void {
  const limit = Limits.configBytes
  if (size <= limit || !isConfigType(mediaType)) return
  throw new LimitError('image config bytes', { limit, actual: size, where: digest })
}
