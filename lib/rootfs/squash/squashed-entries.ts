import { type IndexedEntry, type LayerIndex, whiteoutPath } from '../../layer/index.ts'
import type { BlobReader } from '../../store/index.ts'
import type { TarInput } from '../../tar/index.ts'
import type { ContentOptions, ViewEntry, ViewLayer } from '../union-view.ts'
import { fillEntries } from '../view/fill-entries.ts'
import { LayerStack } from '../view/layer-stack.ts'
import { sortNames } from '../view/name-order.ts'
import { isDirectory, type TreeNode } from '../view/tree-node.ts'
import { linkEntry, viewEntry } from '../view/view-entry.ts'

/** Layers, lowest first, with the index from which on they become one. */
export interface SquashInput {
  readonly layers: readonly ViewLayer[]
  readonly indexes: readonly LayerIndex[]
  readonly from: number
}

/**
 * Yields the entries that, on top of the layers below, give the same tree as the squashed layers. Whiteouts come first.
 */
export async function* squashedEntries(
  store: Pick<BlobReader, 'read'>,
  { layers, indexes, from }: SquashInput,
  options: ContentOptions,
): AsyncGenerator<TarInput, void, undefined> {
  const below = stackOf(indexes.slice(0, from))
  const above = stackOf(indexes)
  const { whiteouts, entries } = new Difference(below, above)
  for (const path of whiteouts) yield { path: whiteoutPath(path), type: 'file', size: 0 }
  yield* fillEntries(store, layers, entries, options)
}

function stackOf(indexes: readonly LayerIndex[]): LayerStack {
  const stack = new LayerStack(Number.POSITIVE_INFINITY)
  for (const index of indexes) stack.add(index)
  return stack
}

/** Walks both trees in parallel, in the order of a walk, and collects the differences. */
class Difference {
  readonly whiteouts: string[] = []
  readonly entries: ViewEntry[] = []
  /**
   * For each file, the name that a hard link may refer to: one that stays in the lower layers, or the first one yielded
   * here.
   */
  readonly #names = new Map<IndexedEntry, string>()

  constructor(below: LayerStack, above: LayerStack) {
    if (above.shared.size > 0) this.#findStaying(below.root, above.root, above.shared)
    if (above.root.entry && above.root.entry !== below.root.entry) this.entries.push(viewEntry('.', above.root))
    this.#compare(below.root, above.root)
  }

  /** Finds the names that the lower layers and the result have for the same file. */
  #findStaying(below: TreeNode, above: TreeNode, shared: ReadonlySet<IndexedEntry>): void {
    const open = [{ below, above, prefix: '' }]
    for (let pair = open.pop(); pair; pair = open.pop()) {
      for (const [name, node] of pair.above.children ?? []) {
        const under = pair.below.children?.get(name)
        if (!under) continue
        const path = pair.prefix + name
        const { entry } = node
        if (entry && entry === under.entry && shared.has(entry) && !this.#names.has(entry)) this.#names.set(entry, path)
        if (isDirectory(node) && isDirectory(under)) open.push({ below: under, above: node, prefix: `${path}/` })
      }
    }
  }

  #compare(below: TreeNode, above: TreeNode): void {
    const open: { below: TreeNode | undefined; above: TreeNode; prefix: string; rest: string[] }[] = []
    const enter = (under: TreeNode | undefined, over: TreeNode, prefix: string) => {
      const lower = under && isDirectory(under) ? under : undefined
      const names = new Set([...(lower?.children?.keys() ?? []), ...(over.children?.keys() ?? [])])
      open.push({ below: lower, above: over, prefix, rest: sortNames([...names]).reverse() })
    }
    enter(below, above, '')
    for (let directory = open.at(-1); directory; directory = open.at(-1)) {
      const name = directory.rest.pop()
      if (name === undefined) {
        open.pop()
        continue
      }
      const path = directory.prefix + name
      const under = directory.below?.children?.get(name)
      const over = directory.above.children?.get(name)
      if (!over) {
        this.whiteouts.push(path)
        continue
      }
      this.#take(path, under, over)
      if (isDirectory(over)) enter(under, over, `${path}/`)
    }
  }

  #take(path: string, below: TreeNode | undefined, above: TreeNode): void {
    const { entry } = above
    if (below && below.entry === entry && (entry || isDirectory(below))) return
    if (!entry) {
      // A directory without an entry is created by its children. An empty one, or one that replaces another kind of
      // entry, needs an entry of its own.
      if (below || !above.children?.size) this.entries.push(viewEntry(path, above))
      return
    }
    const first = this.#names.get(entry)
    if (first !== undefined) {
      this.entries.push(linkEntry(path, first, above))
      return
    }
    this.#names.set(entry, path)
    this.entries.push(viewEntry(path, above))
  }
}
