import { closeSync, constants, fstatSync, lstatSync, openSync, readlinkSync, type Stats } from 'node:fs'
import { LimitError, RootfsError } from '../../../errors/index.ts'
import { isErrno } from '../../../internal/errno.ts'
import { decodeName } from '../../../internal/name-bytes.ts'
import { childPath } from './child-path.ts'
import { DirectoryNode } from './directory-node.ts'

/** Maximum number of open directory handles. */
const MOST_HANDLES = 64
/** Maximum depth of a directory; through links, a path can be deeper than a name in an archive can be long. */
export const MAX_DEPTH = 1024

const { O_RDONLY, O_DIRECTORY, O_NOFOLLOW } = constants

/** The kind of entry under a name. */
export type Found =
  | { readonly kind: 'absent' | 'other' }
  | { readonly kind: 'directory'; readonly node: DirectoryNode }
  | { readonly kind: 'link'; readonly target: string }

/**
 * The directories of the tree that is being written. Each is reached without resolving a link.
 *
 * SAFETY: an archive, or another process, may put a link in place of a directory, which would redirect writes out of
 * the tree. On Linux each directory is opened from its parent's handle with O_NOFOLLOW, and its entries are named
 * `/proc/self/fd/N/name`, so no link is ever resolved. Without /proc, each directory of the path is checked right
 * before use; this stops links of the archive, but not a process that swaps a directory at that moment.
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

  /** A path of the directory itself, valid until the next call on this tree. */
  locate(node: DirectoryNode): string {
    return this.#handles === 'proc' ? `/proc/self/fd/${this.#openNode(node)}` : this.#checkedPath(node)
  }

  /** Keeps the path of a directory valid while `act` asks for paths in another directory. */
  holding<T>(node: DirectoryNode, act: () => T): T {
    this.#held = node
    try {
      return act()
    } finally {
      this.#held = undefined
    }
  }

  /** Path of a name in a directory. Use it only with system calls that do not follow a link under that name. */
  at(node: DirectoryNode, name: string): string | Buffer {
    return childPath(this.locate(node), name)
  }

  /** Looks up a name in a directory. */
  look(node: DirectoryNode, name: string): Found {
    const known = node.children.get(name)
    if (known) return { kind: 'directory', node: known }
    // PERF: a directory that this run created needs no system call. If another process has added the name, creating the
    // entry fails with EEXIST and replaces it.
    if (node.hidden.has(name) || node.lacks(name)) return { kind: 'absent' }
    const path = this.at(node, name)
    const stats = lstatSync(path, { throwIfNoEntry: false }) as Stats | undefined
    if (!stats) return { kind: 'absent' }
    if (stats.isSymbolicLink()) return { kind: 'link', target: decodeName(readlinkSync(path, { encoding: 'buffer' })) }
    return stats.isDirectory() ? { kind: 'directory', node: this.adopt(node, name) } : { kind: 'other' }
  }

  /** Adds a directory to the tree. */
  adopt(parent: DirectoryNode, name: string): DirectoryNode {
    if (parent.depth >= MAX_DEPTH) {
      throw new LimitError('directory depth', { limit: MAX_DEPTH, actual: parent.depth + 1, where: 'layer' })
    }
    const node = new DirectoryNode(name, parent)
    parent.children.set(name, node)
    return node
  }

  /** Drops a directory that is about to be removed, with everything below it. */
  drop(node: DirectoryNode): void {
    node.parent?.children.delete(node.name)
    for (const below of this.#open) if (isWithin(below, node)) this.#closeNode(below)
  }

  /** Continues at the new path of the root, or in another directory that received its content. */
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

  /** Opens the closed directories on the path to a directory. */
  #openFrom(node: DirectoryNode): void {
    const way: DirectoryNode[] = []
    let above: DirectoryNode | undefined = node
    for (; above && above.fd < 0; above = above.parent) way.push(above)
    for (let next = way.pop(); next; next = way.pop()) {
      const path = next.parent ? childPath(`/proc/self/fd/${next.parent.fd}`, next.name) : this.#path
      next.fd = openDirectory(path, next)
      this.#open.add(next)
      if (this.#open.size > MOST_HANDLES) this.#closeOldest(next)
    }
  }

  /** PERF: every 32nd level is kept open longer, so that not all of a deep way must be opened again. */
  #closeOldest(opened: DirectoryNode): void {
    let oldest: DirectoryNode | undefined
    for (const node of this.#open) {
      if (node === this.#held || node === opened) continue
      oldest ??= node
      if (node.depth % 32 === 0) continue
      this.#closeNode(node)
      return
    }
    if (oldest) this.#closeNode(oldest)
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
  // SAFETY: while a directory is closed, another process may swap it. Comparing the inode detects that.
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
