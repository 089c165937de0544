import type { Digest } from '../../digest/index.ts'
import type { AbortOptions } from '../../internal/abort.ts'
import { Limits } from '../../oci/index.ts'
import type { StoredBlob } from '../../store/index.ts'
import type { Survey } from './mark-store.ts'

/** Length of the shortest text that contains a digest. */
const SHORTEST_PARENT = 71

/**
 * Orders blobs in generations: no blob refers to another one of its generation or of an earlier one. As long as a
 * manifest can be found and leased, no blob of a later generation has been removed.
 */
export async function parentsFirst(
  { graph, blobs: known }: Pick<Survey, 'graph' | 'blobs'>,
  blobs: readonly StoredBlob[],
  options: AbortOptions,
): Promise<StoredBlob[][]> {
  const going = new Map(blobs.map(blob => [blob.digest, blob]))
  const children = new Map<Digest, readonly Digest[]>()
  const parents = new Map<Digest, number>()
  for (const { digest, size } of going.values()) {
    options.signal?.throwIfAborted()
    if (size < SHORTEST_PARENT || size > Limits.manifestBytes) continue
    if (known.get(digest)?.isDocument === false) continue
    const { edges } = await graph.loose(digest)
    const below = [...new Set(edges.map(edge => edge.digest))].filter(child => child !== digest && going.has(child))
    if (below.length === 0) continue
    children.set(digest, below)
    for (const child of below) parents.set(child, (parents.get(child) ?? 0) + 1)
  }
  const generations: Digest[][] = []
  const left = new Set(going.keys())
  for (let next = [...left].filter(digest => !parents.has(digest)); next.length > 0; ) {
    for (const digest of next) left.delete(digest)
    generations.push(next)
    next = next.flatMap(digest => (children.get(digest) ?? []).filter(child => isFree(parents, child)))
  }
  // Digests cannot form a cycle, but texts may contain any digest; blobs in such a cycle come last, one by one.
  for (const digest of left) generations.push([digest])
  return generations.map(generation => generation.map(digest => going.get(digest) as StoredBlob))
}

/** Counts a parent that is gone; whether it was the last one. */
function isFree(parents: Map<Digest, number>, child: Digest): boolean {
  const left = (parents.get(child) as number) - 1
  parents.set(child, left)
  return left === 0
}
