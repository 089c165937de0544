import type { Digest } from '../../digest/index.ts'
import type { AbortOptions } from '../../internal/abort.ts'
import { Limits } from '../../oci/index.ts'
import type { StoredBlob } from '../../store/index.ts'
import type { DocumentGraph } from './document-graph.ts'

/** No text that names a digest is shorter. */
const SHORTEST_PARENT = 71

/**
 * The same blobs, each before those that it names: as long as a manifest can be found and leased, nothing below it has been
 * removed.
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
  // The list grows while it is gone through.
  for (const digest of free) {
    for (const child of children.get(digest) ?? []) {
      const left = (parents.get(child) as number) - 1
      parents.set(child, left)
      if (left === 0) free.push(child)
    }
  }
  const order = new Set(free)
  // A circle is impossible among digests, but texts may hold anything.
  return [...order, ...[...going.keys()].filter(digest => !order.has(digest))].map(
    digest => going.get(digest) as StoredBlob,
  )
}
