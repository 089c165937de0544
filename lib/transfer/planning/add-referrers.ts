import type { Digest } from '../../digest/index.ts'
import { LimitError } from '../../errors/index.ts'
import type { Descriptor } from '../../oci/index.ts'
import { type TransferNode, walkTransferGraph } from '../endpoints/transfer-graph.ts'
import { isDocument } from '../plan.ts'
import { attachedTags } from './attached-tags.ts'
import type { KnownDocuments } from './known-documents.ts'
import type { PlannedEnds } from './planned-ends.ts'

/** SAFETY: every user with push rights can add referrers; without a limit, a copy could grow without end. */
const MOST = 1000

/**
 * Adds what is attached to the manifests of an image (signatures, SBOMs), what is attached to that, and all blobs: the
 * manifests that refer to another by their `subject`, and those under tags of cosign. They come before the root,
 * because the root gets its name last.
 *
 * @throws {@link LimitError} `ERR_LIMIT_EXCEEDED` for more than 1,000 of them; {@link StoreError}
 * `ERR_REFERENCE_CONFLICT` for signatures that a copy would replace.
 */
export async function addReferrers(
  ends: PlannedEnds,
  nodes: readonly TransferNode[],
): Promise<{ all: readonly TransferNode[]; referrers: readonly Digest[] }> {
  const { source, signal } = ends
  const added = new AddedNodes(nodes, ends.documents)
  const open = nodes.filter(isDocument)
  for (let node = open.pop(); node; node = open.pop()) {
    const { digest } = node.descriptor
    for await (const { artifactType: _, annotations: __, ...plain } of source.referrers?.(digest, { signal }) ?? [])
      open.push(...(await added.add(plain, digest)))
    for (const { tag, descriptor } of await attachedTags(ends, digest))
      open.push(...(await added.add(descriptor, digest, tag)))
  }
  return { all: [...nodes.slice(0, -1), ...added.nodes(), nodes.at(-1)!], referrers: added.referrers }
}

class AddedNodes {
  readonly referrers: Digest[] = []
  readonly #documents: KnownDocuments
  /** Digests of the image itself. */
  readonly #image: ReadonlySet<string>
  readonly #added = new Map<string, TransferNode>()

  constructor(nodes: readonly TransferNode[], documents: KnownDocuments) {
    this.#image = new Set(nodes.map(({ descriptor }) => descriptor.digest))
    this.#documents = documents
  }

  /** Adds a manifest and all below it; returns the documents that are new. */
  async add(root: Descriptor, subject: Digest, tag?: string): Promise<readonly TransferNode[]> {
    const { digest } = root
    if (this.#image.has(digest)) return []
    const isNew = !this.#added.has(digest)
    if (isNew && this.referrers.length === MOST)
      throw new LimitError('referrers', { limit: MOST, actual: MOST + 1, where: subject })
    const found = isNew ? await this.#addGraph(root) : []
    const node = this.#added.get(digest)!
    if (tag !== undefined) this.#added.set(digest, { ...node, tags: [...new Set([...(node.tags ?? []), tag])] })
    if (!this.referrers.includes(digest)) this.referrers.push(digest)
    return found.filter(isDocument)
  }

  async #addGraph(root: Descriptor): Promise<readonly TransferNode[]> {
    const below = await walkTransferGraph(root, descriptor => this.#documents.read(descriptor))
    const found = below.filter(({ descriptor: { digest } }) => !this.#image.has(digest) && !this.#added.has(digest))
    for (const node of found) this.#added.set(node.descriptor.digest, { ...node, belowRoot: false })
    return found
  }

  nodes(): readonly TransferNode[] {
    return [...this.#added.values()]
  }
}
