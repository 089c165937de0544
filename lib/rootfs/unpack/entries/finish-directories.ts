import type { DirectoryMetadata, DirectoryNode } from '../tree/directory-node.ts'
import type { Skip } from './apply-metadata.ts'
import type { TreeState } from './tree-state.ts'

/**
 * Gives directories their owner, mode and time: last of all, because every entry made in a directory changes its time,
 * and a directory without a write bit takes no entries. Innermost first.
 *
 * @param depths - Only directories at these depths; the root has depth 0.
 */
export function finishDirectories(state: TreeState, depths: { from: number; below: number }): void {
  const nodes: DirectoryNode[] = []
  const waiting = [state.tree.root]
  // PERF: each directory is finished right before its content. Level by level, the handles of deep paths would be
  // opened again for every directory: 20,000 directories in 40 paths took 37 s.
  for (let node = waiting.pop(); node; node = waiting.pop()) {
    if (node.depth >= depths.from) nodes.push(node)
    if (node.depth + 1 < depths.below) for (const child of node.children.values()) waiting.push(child)
  }
  for (const node of nodes.reverse()) finish(state, node)
}

function finish(state: TreeState, node: DirectoryNode): void {
  const metadata = node.metadata ?? (node.made ? implicit(state) : undefined)
  if (!metadata && !node.opaque) return
  const skip: Skip = (what, reason) => state.skip(node.path, what, reason)
  if (metadata && node.parent && isBorn(state, node, metadata)) {
    // PERF: neither opened nor asked for its inode; half of all calls for directories.
    state.metadata.toBornDirectory(state.tree.at(node.parent, node.name), metadata, skip)
    return
  }
  const path = state.tree.locate(node)
  if (node.opaque) markOpaque(state, node, path)
  if (metadata) state.metadata.toDirectory(path, metadata, skip)
}

/** True if a directory has all its metadata except the time. */
function isBorn(state: TreeState, node: DirectoryNode, metadata: DirectoryMetadata): boolean {
  const isPlain = !node.opaque && !metadata.xattrs?.size && node.born === metadata.mode
  return isPlain && state.metadata.isBornOwner(metadata)
}

/** Metadata of a directory without an entry. */
function implicit(state: TreeState): DirectoryMetadata {
  return { mode: 0o755, ...state.metadata.owner, mtime: 0 }
}

function markOpaque(state: TreeState, node: DirectoryNode, path: string): void {
  const attribute = state.options.rootless ? 'user.overlay.opaque' : 'trusted.overlay.opaque'
  if (!state.xattrs) {
    const message = 'an opaque directory needs perl, python3 or the package fs-xattr'
    throw state.fault('ERR_UNSUPPORTED_ENTRY', message, node.path)
  }
  state.xattrs.set(path, attribute, Buffer.from('y'), reason => {
    throw state.fault('ERR_UNSUPPORTED_ENTRY', `the directory cannot be made opaque: ${reason}`, node.path)
  })
}
