import type { IndexedEntry } from '../../layer/index.ts'

/**
 * One name in a view. A hard link has its own node with the same `entry` and `layer` as its file, so all names of a
 * file share one `entry`.
 */
export interface TreeNode {
  /** Entry of the layer; `undefined` for an implicit directory. */
  entry: IndexedEntry | undefined
  /** Index of the layer of the entry; -1 without an entry. */
  layer: number
  /** Children of a directory. PERF: created with the first child; empty directories and files have none. */
  children: Map<string, TreeNode> | undefined
}

/** True if the node is a directory. */
export function isDirectory(node: TreeNode): boolean {
  return node.entry === undefined || node.entry.type === 'directory'
}

/** Creates a directory node without an entry. */
export function implicitDirectory(): TreeNode {
  return { entry: undefined, layer: -1, children: undefined }
}

/** Copies a directory node; both have the same children. */
export function copyDirectory({ entry, layer, children }: TreeNode): TreeNode {
  return { entry, layer, children: children && new Map(children) }
}

/** Adds a node to a directory, or replaces the node under that name. */
export function setChild(directory: TreeNode, name: string, node: TreeNode): void {
  directory.children ??= new Map()
  directory.children.set(name, node)
}
