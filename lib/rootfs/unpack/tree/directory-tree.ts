import { closeSync, constants, fstatSync, lstatSync, openSync, readlinkSync, type Stats } from 'node:fs'
import { LimitError, RootfsError } from '../../../errors/index.ts'
import { isErrno } from '../../../internal/errno.ts'
import { decodeName } from '../../../internal/name-bytes.ts'
import { childPath } from './child-path.ts'
import { DirectoryNode } from './directory-node.ts'

/** Directories held open at once. */
const MOST_HANDLES = 64
/** Deepest directory; links can make paths deeper than a name in an archive can be long. */
export const MAX_DEPTH = 1024

const { O_RDONLY, O_DIRECTORY, O_NOFOLLOW } = constants

/** What stands under a name. */
export type Found =
  | { readonly kind: 'absent' | 'other' }
  | { readonly kind: 'directory'; readonly node: DirectoryNode }
  | { readonly kind: 'link'; readonly target: string }

/**
 * The directories of the tree that is being written, and the way to reach each without ever walking through a link.
 *
 * SAFETY: on Linux a directory is opened from its parent's handle with O_NOFOLLOW, and everything in it is named
 * `/proc/self/fd/N/name`: no other process can put a link in between, whenever it tries. Where /proc is missing, every
 * directory on the way is looked at right before use; that stops links of the archive, but not a process that swaps a
 * directory in the same moment.
 */
export class DirectoryTree {
  readonly root = new DirectoryNode('', undefined)
  readonly #handles: 'proc' | 'paths'
  #path: string
  /** Open directories, least recently used first. */
  readonly #open = new Set<DirectoryNode>()
  #held: DirectoryNode | undefined

  constructor(path: string, handles: 'proc' | 'paths') {
    this.#path = path
    this.#handles = handles
    this.locate(this.root)
  }

  /** A path that stands for the directory itself until the next call on this tree. */
  locate(node: DirectoryNode): string {
    return this.#handles === 'proc' ? `/proc/self/fd/${this.#openNode(node)}` : this.#checkedPath(node)
  }

  /** Keeps the path of a directory good while `act` asks for paths in another one. */
  holding<T>(node: DirectoryNode, act: () => T): T {
    this.#held = node
    try {
      return act()
    } finally {
      this.#held = undefined
    }
  }

  /** The path of a name in a directory; the name itself is not followed by calls that do not follow links. */
  at(node: DirectoryNode, name: string): string | Buffer {
    return childPath(this.locate(node), name)
  }

  /** What stands under a name in a directory. */
  look(node: DirectoryNode, name: string): Found {
    const known = node.children.get(name)
    if (known) return { kind: 'directory', node: known }
    // PERF: a new directory need not be asked; if somebody else has put something there, making it anew clears that.
    if (node.hidden.has(name) || node.lacks(name)) return { kind: 'absent' }
    const path = this.at(node, name)
    const stats = lstatSync(path, { throwIfNoEntry: false }) as Stats | undefined
    if (!stats) return { kind: 'absent' }
    if (stats.isSymbolicLink()) return { kind: 'link', target: decodeName(readlinkSync(path, { encoding: 'buffer' })) }
    return stats.isDirectory() ? { kind: 'directory', node: this.adopt(node, name) } : { kind: 'other' }
  }

  /** Takes note of a directory. */
  adopt(parent: DirectoryNode, name: string): DirectoryNode {
    if (parent.depth >= MAX_DEPTH) {
      throw new LimitError('directory depth', { limit: MAX_DEPTH, actual: parent.depth + 1, where: 'layer' })
    }
    const node = new DirectoryNode(name, parent)
    parent.children.set(name, node)
    return node
  }

  /** Forgets a directory and everything below it, which is about to be removed. */
  drop(node: DirectoryNode): void {
    node.parent?.children.delete(node.name)
    for (const below of this.#open) if (isWithin(below, node)) this.#closeNode(below)
  }

  /** Goes on where the root is now, or in another directory that has taken over everything in it. */
  moveTo(path: string, how: 'renamed' | 'emptied'): void {
    this.#path = path
    if (how === 'renamed') return
    this.close()
    this.root.inode = undefined
  }

  /** Closes every handle; they are opened again on demand. */
  close(): void {
    for (const node of this.#open) this.#closeNode(node)
  }

  #openNode(node: DirectoryNode): number {
    if (node.fd < 0) this.#openFrom(node)
    else {
      this.#open.delete(node)
      this.#open.add(node)
    }
    return node.fd
  }

  /** Opens what is closed on the way down to a directory. */
  #openFrom(node: DirectoryNode): void {
    const way: DirectoryNode[] = []
    let above: DirectoryNode | undefined = node
    for (; above && above.fd < 0; above = above.parent) way.push(above)
    for (let next = way.pop(); next; next = way.pop()) {
      const path = next.parent ? childPath(`/proc/self/fd/${next.parent.fd}`, next.name) : this.#path
      next.fd = openDirectory(path, next)
      this.#open.add(next)
      if (this.#open.size > MOST_HANDLES) this.#closeOldest()
    }
  }

  #closeOldest(): void {
    for (const node of this.#open) {
      if (node === this.#held) continue
      this.#closeNode(node)
      return
    }
  }

  #closeNode(node: DirectoryNode): void {
    this.#open.delete(node)
    closeSync(node.fd)
    node.fd = -1
  }

  #checkedPath(node: DirectoryNode): string {
    const way: DirectoryNode[] = []
    for (let next: DirectoryNode | undefined = node; next?.parent; next = next.parent) way.push(next)
    let path = this.#path
    for (const next of way.reverse()) {
      path = `${path}/${next.name}`
      if (!lstatSync(path, { throwIfNoEntry: false })?.isDirectory()) throw changed(next)
    }
    return path
  }
}

function openDirectory(path: string | Buffer, node: DirectoryNode): number {
  let fd: number
  try {
    fd = openSync(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW)
  } catch (cause) {
    if (isErrno(cause, 'ENOTDIR', 'ELOOP', 'ENOENT')) throw changed(node, cause)
    throw cause
  }
  // SAFETY: a directory that was closed for a while must still be the same one.
  const inode = fstatSync(fd).ino
  if (node.inode !== undefined && node.inode !== inode) {
    closeSync(fd)
    throw changed(node)
  }
  node.inode = inode
  return fd
}

function changed(node: DirectoryNode, cause?: unknown): RootfsError {
  return new RootfsError('ERR_UNSAFE_PATH', 'another process has replaced a directory', { path: node.path }, { cause })
}

function isWithin(node: DirectoryNode, top: DirectoryNode): boolean {
  for (let next: DirectoryNode | undefined = node; next; next = next.parent) if (next === top) return true
  return false
}
