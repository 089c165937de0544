import type { IndexedEntry } from '../../layer/index.ts'
import type { ViewEntry } from '../union-view.ts'
import { sortNames } from './name-order.ts'
import type { TreeNode } from './tree-node.ts'
import { linkEntry, viewEntry } from './view-entry.ts'

interface OpenDirectory {
  readonly node: TreeNode
  readonly prefix: string
  /** Remaining names, the next one last. */
  readonly rest: string[]
}

/**
 * Yields everything in a directory, each directory before its children, names in the order of their bytes.
 *
 * @param shared - Entries that may have more than one name.
 */
export function* walkTree(
  top: TreeNode,
  path: string,
  shared: ReadonlySet<IndexedEntry>,
): Generator<ViewEntry, void, undefined> {
  const first = new Map<IndexedEntry, string>()
  // An explicit stack, not recursive generators: a recursive generator passes each entry through every level, and the
  // call stack would limit the depth.
  const open = [listing(top, path === '.' ? '' : `${path}/`)]
  for (let directory = open.at(-1); directory; directory = open.at(-1)) {
    const name = directory.rest.pop()
    if (name === undefined) {
      open.pop()
      continue
    }
    const node = directory.node.children!.get(name)!
    const at = directory.prefix + name
    const { entry } = node
    const link = entry && first.get(entry)
    if (entry && link === undefined && shared.has(entry)) first.set(entry, at)
    yield link === undefined ? viewEntry(at, node) : linkEntry(at, link, node)
    if (node.children) open.push(listing(node, `${at}/`))
  }
}

function listing(node: TreeNode, prefix: string): OpenDirectory {
  return { node, prefix, rest: sortNames([...(node.children?.keys() ?? [])]).reverse() }
}

/** Number of nodes below a directory. */
export function countTree(top: TreeNode): number {
  let count = 0
  const open = [top]
  for (let node = open.pop(); node; node = open.pop()) {
    count += node.children?.size ?? 0
    for (const child of node.children?.values() ?? []) if (child.children) open.push(child)
  }
  return count
}
