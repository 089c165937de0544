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

/** One blob of an image and what it is to it. */
export type TransferNode = Pick<PlanStep, 'kind' | 'descriptor' | 'content' | 'belowRoot'>

/**
 * Everything below a manifest or index and itself, each once, children before their parents.
 *
 * @throws {@link FormatError} `ERR_INVALID_DIGEST` for a blob that could not be verified.
 * @param read - Gives the document behind a descriptor; called for manifests and indexes only.
 */
export async function walkTransferGraph(
  root: Descriptor,
  read: (descriptor: Descriptor) => Promise<ImageDocument>,
): Promise<TransferNode[]> {
  if (!isDocumentRole(roleOf(root))) refuseRoot(root)
  const found = await walkDocuments(root, {
    see: node => {
      // An algorithm that is not known here is told before anything moves.
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
    // A blob that is named twice moves once; what one place calls a document is moved as one, after what it needs.
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

/** SAFETY: of a document that cannot be read (Docker's schema 1, or worse) it is not known what it needs to be complete. */
function refuseRoot({ mediaType, digest }: Descriptor): never {
  const message = `${digest} is neither manifest nor index: media type ${mediaType}`
  throw new FormatError('ERR_UNSUPPORTED_MEDIA_TYPE', message)
}

/** SAFETY: an image config is read as a whole by every reader of the image; what it says of its size may be a lie. */
function checkConfigSize({ mediaType, digest, size }: Descriptor): void {
  const limit = Limits.configBytes
  if (size <= limit || !isConfigType(mediaType)) return
  throw new LimitError('image config bytes', { limit, actual: size, where: digest })
}
