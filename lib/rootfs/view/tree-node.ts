import type { IndexedEntry } from '../../layer/index.ts'

/**
 * One name in a view. Hard links have nodes of their own with the same `entry` and `layer` as their file, so names of one
 * file are those with the same `entry`.
 */
export interface TreeNode {
  /** What the layer says; `undefined` for a directory that no layer has an entry for. */
  entry: IndexedEntry | undefined
  /** The layer that says so; -1 for none. */
  layer: number
  /** What is in a directory. PERF: made with the first child, empty directories and files have none. */
  children: Map<string, TreeNode> | undefined
}

/** Whether a node is a directory. */
export function isDirectory(node: TreeNode): boolean {
  return node.entry === undefined || node.entry.type === 'directory'
}

/** A directory without an entry. */
export function implicitDirectory(): TreeNode {
  return { entry: undefined, layer: -1, children: undefined }
}

/** Puts a node into a directory, in place of another. */
export function setChild(directory: TreeNode, name: string, node: TreeNode): void {
  directory.children ??= new Map()
  directory.children.set(name, node)
}
