import type { Digest } from '../../digest/index.ts'
import type { AbortOptions } from '../../internal/abort.ts'
import { Limits } from '../../oci/index.ts'
import type { StoredBlob } from '../../store/index.ts'
import type { DocumentGraph } from './document-graph.ts'

/** Length of the shortest text that contains a digest. */
const SHORTEST_PARENT = 71

/**
 * Orders blobs so that each comes before the blobs that it refers to: as long as a manifest can be found and leased, no
 * blob below it has been removed.
 */
export async function parentsFirst(
  graph: DocumentGraph,
  blobs: readonly StoredBlob[],
  options: AbortOptions,
): Promise<StoredBlob[]> {
  const going = new Map(blobs.map(blob => [blob.digest, blob]))
  const children = new Map<Digest, readonly Digest[]>()
  const parents = new Map<Digest, number>()
  for (const { digest, size } of going.values()) {
    options.signal?.throwIfAborted()
    if (size < SHORTEST_PARENT || size > Limits.manifestBytes) continue
    const { edges } = await graph.loose(digest)
    const below = [...new Set(edges.map(edge => edge.digest))].filter(child => child !== digest && going.has(child))
    if (below.length === 0) continue
    children.set(digest, below)
    for (const child of below) parents.set(child, (parents.get(child) ?? 0) + 1)
  }
  const free = [...going.keys()].filter(digest => !parents.has(digest))
  // The loop appends to the list that it iterates.
  for (const digest of free) {
    for (const child of children.get(digest) ?? []) {
      const left = (parents.get(child) as number) - 1
      parents.set(child, left)
      if (left === 0) free.push(child)
    }
  }
  const order = new Set(free)
  // Digests cannot form a cycle, but texts may contain any digest; blobs in such a cycle come last.
  return [...order, ...[...going.keys()].filter(digest => !order.has(digest))].map(
    digest => going.get(digest) as StoredBlob,
  )
}
