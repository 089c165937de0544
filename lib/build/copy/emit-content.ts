import type { AbortOptions } from '../../internal/abort.ts'
import { EventLoopYielder } from '../../internal/concurrency/event-loop-yielder.ts'
import type { LazyList } from '../../internal/memory/lazy-list.ts'
import type { KnownEntry } from '../../layer/index.ts'
import type { UnionView } from '../../rootfs/index.ts'
import type { LazyFile, SourceNode, SourceTree } from '../context/source-tree.ts'
import { withParents } from './emit-entries.ts'
import { KeptContent, knownEntry } from './known-entries.ts'
import { type DraftEntry, type LayerDraft, refuseWhiteout } from './layer-draft.ts'
import { type EmptyTop, type PlacingOptions, placeEmptyTop } from './place-match.ts'
import type { SourceMatch } from './source-match.ts'

/** Name of what a path without whiteouts does not contain. */
const WHITEOUT = '.wh.'

/**
 * Returns the entries of a copy, in the order of `emitEntries`. Returns `undefined` if the copy has several sources, or
 * if its destination is not empty.
 *
 * PERF: nearly all large copies are of this kind. Entries are made when they are asked for, and no object of them is
 * kept: with 70,000 paths the maps and objects of a draft take 30 MB.
 */
export async function emitContent(
  draft: LayerDraft,
  matches: readonly SourceMatch[],
  below: UnionView | undefined,
  options: PlacingOptions & AbortOptions,
): Promise<LazyList<KnownEntry> | undefined> {
  const [found] = matches
  if (!found || matches.length > 1 || !found.tree.lazy) return undefined
  const top = placeEmptyTop(draft, found, options)
  if (!top) return undefined
  const order = orderOf(found.content, top)
  const above = withParents(draft, below).map(({ header }) => header)
  const content = new ContentList(found, top, order, await keptFiles(found, order, options))
  return {
    length: above.length + content.length,
    at: index => (index < above.length ? { ...above[index]! } : content.at(index - above.length)),
  }
}

/**
 * Positions of the nodes of a copied directory, in the order of the layer. Directories come before their content, and
 * names are in byte order, so the nodes are in the order of an archive.
 */
interface Order {
  /** Without content, then files, then further names of files. */
  readonly nodes: Uint32Array
  readonly firstFile: number
  readonly firstLink: number
  /** Nodes that are hard links, each with the node that is the file. */
  readonly targets: ReadonlyMap<number, number>
}

function orderOf(content: readonly SourceNode[], { pathOf }: EmptyTop): Order {
  const nodes = new Uint32Array(content.length)
  const files = new Uint32Array(content.length)
  const first = new Map<string, number>()
  const targets = new Map<number, number>()
  let [others, count] = [0, 0]
  for (let i = 0; i < content.length; i++) {
    const node = content[i]!
    if (node.path.includes(WHITEOUT)) refuseWhiteout(pathOf(node))
    if (node.type !== 'file') {
      nodes[others++] = i
      continue
    }
    const known = node.inode === undefined ? undefined : first.get(node.inode)
    if (known !== undefined) targets.set(i, known)
    else {
      if (node.inode !== undefined) first.set(node.inode, i)
      files[count++] = i
    }
  }
  nodes.set(files.subarray(0, count), others)
  nodes.set([...targets.keys()], others + count)
  return { nodes, firstFile: others, firstLink: others + count, targets }
}

/** Reads the files whose digests do not count, by their positions in the order. */
async function keptFiles(
  { tree, content }: SourceMatch,
  { nodes, firstFile, firstLink }: Order,
  { signal }: AbortOptions,
): Promise<ReadonlyMap<number, LazyFile>> {
  const kept = new KeptContent()
  const files = new Map<number, LazyFile>()
  const yielder = new EventLoopYielder()
  for (let i = firstFile; i < firstLink; i++) {
    const node = content[nodes[i]!]!
    const file = tree.lazy!(node)
    if (file.digest === undefined) files.set(i, await kept.read(file, node.size))
    if (!yielder.shouldYield()) continue
    await yielder.yield()
    signal?.throwIfAborted()
  }
  return files
}

/** The entries of a copied directory. */
class ContentList implements LazyList<KnownEntry> {
  readonly #tree: SourceTree
  readonly #content: readonly SourceNode[]
  readonly #entryOf: (node: SourceNode) => DraftEntry['header']
  readonly #order: Order
  readonly #kept: ReadonlyMap<number, LazyFile>

  constructor({ tree, content }: SourceMatch, top: EmptyTop, order: Order, kept: ReadonlyMap<number, LazyFile>) {
    this.#tree = tree
    this.#content = content
    this.#entryOf = top.headerOf
    this.#order = order
    this.#kept = kept
  }

  get length(): number {
    return this.#content.length
  }

  at(index: number): KnownEntry {
    const { nodes, firstFile, firstLink, targets } = this.#order
    const node = this.#content[nodes[index]!]!
    const header = this.#entryOf(node)
    if (index < firstFile) return header
    if (index < firstLink) return knownEntry(header, node.size, this.#kept.get(index) ?? this.#tree.lazy!(node))
    const target = this.#content[targets.get(nodes[index]!)!]!
    return { ...header, type: 'hardlink', size: 0, linkname: this.#entryOf(target).path }
  }
}
