import type { Tree, TreeEntry } from './tree.ts'

/** What names of a tree stand for. */
export interface Inode {
  /** The first of its names. Two names with the same one are one file. */
  readonly name: string
  /** What the first name says. */
  readonly entry: TreeEntry
}

/** One name. */
export interface NamedInode {
  readonly path: string
  readonly inode: Inode
}

/** The names of a tree in their order, hard links resolved. */
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
