import type { Tree, TreeEntry } from './tree.ts'

/** File or directory to which names of a tree refer. */
export interface Inode {
  /** First name of the inode; it identifies the inode. */
  readonly name: string
  /** Entry of the first name. */
  readonly entry: TreeEntry
}

/** One name. */
export interface NamedInode {
  readonly path: string
  readonly inode: Inode
}

/** Yields the names of a tree in order, with hard links resolved. */
export async function* inodesOf(tree: Tree): AsyncGenerator<NamedInode, void, undefined> {
  const first = new Map<string, Inode>()
  for await (const entry of tree.walk()) {
    const { path } = entry
    const linked = entry.type === 'hardlink' ? first.get(entry.linkname ?? '') : undefined
    const inode = linked ?? { name: path, entry }
    if (!linked) first.set(path, inode)
    yield { path, inode }
  }
}
