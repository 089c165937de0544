import { FormatError, LimitError } from '../../errors/index.ts'
import {
  type Descriptor,
  type ImageDocument,
  isConfigType,
  isForeignLayerType,
  isIndexType,
  isManifestType,
  Limits,
} from '../../spec/index.ts'
import type { PlanStep } from '../plan.ts'

/** One blob of an image and what it is to it. */
export type GraphNode = Pick<PlanStep, 'kind' | 'descriptor' | 'content' | 'belowRoot'>

/**
 * Everything below a manifest or index and itself, each once, children before their parents.
 *
 * @param read - Gives the document behind a descriptor; called for manifests and indexes only.
 */
export async function walkGraph(
  root: Descriptor,
  read: (descriptor: Descriptor) => Promise<ImageDocument>,
): Promise<GraphNode[]> {
  const nodes = new Map<string, GraphNode>()
  const visit = async (descriptor: Descriptor, kind: PlanStep['kind'], depth: number): Promise<void> => {
    if (nodes.has(descriptor.digest)) return
    if (!isIndexType(descriptor.mediaType) && !isManifestType(descriptor.mediaType)) {
      if (depth === 0) refuseRoot(descriptor)
      if (kind === 'config') checkConfigSize(descriptor)
      nodes.set(descriptor.digest, { kind: isForeignLayerType(descriptor.mediaType) ? 'blob' : kind, descriptor })
      return
    }
    checkIndexDepth(depth, descriptor)
    const document = await read(descriptor)
    for (const child of childrenOf(document)) await visit(child.descriptor, child.kind, depth + 1)
    nodes.set(descriptor.digest, { kind: document.kind, descriptor })
  }
  await visit(root, 'manifest', 0)
  return [...nodes.values()]
}

/** SAFETY: of a document that cannot be read (Docker's schema 1, or worse) nobody knows what it needs to be complete. */
function refuseRoot({ mediaType, digest }: Descriptor): never {
  const message = `${digest} is neither manifest nor index: media type ${mediaType}`
  throw new FormatError('ERR_UNSUPPORTED_MEDIA_TYPE', message)
}

/** SAFETY: an image config is read as a whole by everybody who uses the image; what it says of its size may be a lie. */
function checkConfigSize({ mediaType, digest, size }: Descriptor): void {
  const limit = Limits.configBytes
  if (size <= limit || !isConfigType(mediaType)) return
  throw new LimitError('image config bytes', { limit, actual: size, where: digest })
}

/** SAFETY: a document names what is below it by digest, so it cannot contain itself; only the depth needs a bound. */
export function checkIndexDepth(depth: number, at: Descriptor): void {
  if (depth <= Limits.indexDepth) return
  throw new FormatError('ERR_INVALID_INDEX', `indexes nested deeper than ${Limits.indexDepth}: ${at.digest}`)
}

function childrenOf(document: ImageDocument): GraphNode[] {
  if (document.kind === 'index') return document.index.manifests.map(descriptor => ({ kind: 'layer', descriptor }))
  const { config, layers } = document.manifest
  return [{ kind: 'config', descriptor: config }, ...layers.map(descriptor => ({ kind: 'layer', descriptor }) as const)]
}
