import type { ViewEntry } from '../union-view.ts'
import type { TreeNode } from './tree-node.ts'

/** Makes the view entry of a node under a path. */
export function viewEntry(path: string, { entry, layer }: TreeNode): ViewEntry {
  if (entry) {
    // PERF: the paths are nearly always equal; then the string is stored once.
    const at = entry.path === path ? entry.path : path
    return { ...entry, path: at, layer, implicit: false }
  }
  const owner = { mode: 0o755, uid: 0, gid: 0, mtime: 0 }
  return { path, type: 'directory', size: 0, ...owner, offset: 0, layer: -1, implicit: true }
}

/** Makes the entry of a further name of a file, as a hard link to `linkname`. */
export function linkEntry(path: string, linkname: string, node: TreeNode): ViewEntry {
  const { devMajor: _, devMinor: __, xattrs: ___, size: ____, sparse: _____, ...rest } = viewEntry(path, node)
  return { ...rest, type: 'hardlink', size: 0, linkname }
}
