import type { Digest } from '../../digest/index.ts'
import { LimitError } from '../../errors/index.ts'
import { type TransferNode, walkTransferGraph } from '../endpoints/transfer-graph.ts'
import type { TransferSource } from '../endpoints/transfer-source.ts'
import { isDocument } from '../plan.ts'
import type { KnownDocuments } from './known-documents.ts'

/** SAFETY: every user with push rights can add referrers; without a limit, a copy could grow without end. */
const MOST = 1000

/**
 * Adds the manifests that refer to the manifests of an image (signatures, SBOMs), the manifests that refer to these,
 * and their blobs. They come before the root, because the root gets its name last.
 *
 * @throws {@link LimitError} `ERR_LIMIT_EXCEEDED` for more than 1,000 referrers.
 */
export async function addReferrers(
  source: TransferSource,
  documents: KnownDocuments,
  nodes: readonly TransferNode[],
  signal: AbortSignal | undefined,
): Promise<{ all: readonly TransferNode[]; referrers: readonly Digest[] }> {
  const seen = new Set<string>(nodes.map(({ descriptor }) => descriptor.digest))
  const referrers: Digest[] = []
  const added: TransferNode[] = []
  const open = nodes.filter(isDocument)
  for (let node = open.pop(); node && source.referrers; node = open.pop()) {
    for await (const descriptor of source.referrers(node.descriptor.digest, { signal })) {
      if (seen.has(descriptor.digest)) continue
      if (referrers.length === MOST)
        throw new LimitError('referrers', { limit: MOST, actual: MOST + 1, where: node.descriptor.digest })
      referrers.push(descriptor.digest)
      const { artifactType: _, annotations: __, ...plain } = descriptor
      for (const below of await walkTransferGraph(plain, one => documents.read(one))) {
        if (seen.has(below.descriptor.digest)) continue
        seen.add(below.descriptor.digest)
        added.push({ ...below, belowRoot: false })
        if (isDocument(below)) open.push(below)
      }
    }
  }
  return { all: [...nodes.slice(0, -1), ...added, nodes.at(-1)!], referrers }
}
