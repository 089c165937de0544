import { mkdirSync } from 'node:fs'
import { RootfsError, type RootfsErrorCode } from '../../../errors/index.ts'
import { isErrno } from '../../../internal/errno.ts'
import type { XattrAccess } from '../../../internal/xattr-access.ts'
import { directoryMode } from '../tree/creation-defaults.ts'
import type { DirectoryNode } from '../tree/directory-node.ts'
import { DirectoryTree } from '../tree/directory-tree.ts'
import { removeTree } from '../tree/remove-tree.ts'
import { resolveDirectory, type WayOptions } from '../tree/resolve-directory.ts'
import { NOTHING_WRITTEN, type SkippedDetail, type UnpackCounts } from '../unpack-report.ts'
import { MetadataWriter } from './apply-metadata.ts'
import type { WriterOptions } from './writer-options.ts'

/** What the writing of entries, whiteouts and directories has in common: the tree, and what has come of it so far. */
export class TreeState {
  readonly tree: DirectoryTree
  readonly options: WriterOptions
  readonly metadata: MetadataWriter
  readonly xattrs: XattrAccess | undefined
  readonly counts: { -readonly [K in keyof UnpackCounts]: number } = { ...NOTHING_WRITTEN }
  /** What could not be applied since somebody last took it. */
  skipped: SkippedDetail[] = []
  /** Paths written, for a target that was not empty. */
  readonly written: string[] = []
  /** Directories that the layer at hand has opaque marks in. */
  readonly marked = new Set<string>()
  /** Number of the layer that is being written. */
  layer = -1
  /** Its digest, for errors. */
  layerName: string | undefined

  constructor(path: string, options: WriterOptions, xattrs: XattrAccess | undefined) {
    this.tree = new DirectoryTree(path, options.handles)
    this.options = options
    this.metadata = new MetadataWriter(options, xattrs)
    this.xattrs = xattrs
  }

  /** The directory that a way leads to inside the root; made where it is missing, also in place of files of lower layers. */
  enter(way: readonly string[]): DirectoryNode {
    const make = (parent: DirectoryNode, name: string) => {
      if (!parent.has(name, this.layer)) return this.makeDirectory(parent, name)
      const message = 'an entry inside something that its own layer makes no directory'
      throw this.fault('ERR_NOT_A_DIRECTORY', message, way.join('/'))
    }
    return resolveDirectory(this.tree, way, { make, onUse: (node, name) => node.use(name, this.layer) })!
  }

  /** The directory that a way leads to inside the root, or `undefined` if there is none. */
  find(way: readonly string[]): DirectoryNode | undefined {
    return resolveDirectory(this.tree, way, { onUse: (node, name) => node.use(name, this.layer) })
  }

  /**
   * The directory that a mark among the entries is in, made where it is missing if that is wanted; `undefined` if there is
   * none.
   *
   * SPEC: marks are about lower layers. What this layer has put in the place of a directory has taken everything in it
   * away; what stands there now is not what the mark is about (umoci writes `x` and then `x/.wh.y` for such a directory).
   *
   * @throws {@link RootfsError} `ERR_INVALID_WHITEOUT` if anything else on the way is no directory: where the mark leads is
   * only certain before the first entry.
   */
  findMarked(way: readonly string[], options: { readonly make: boolean }): DirectoryNode | undefined {
    return resolveDirectory(this.tree, way, {
      ...this.#making(options.make),
      isEnd: (node, name) => {
        if (node.has(name, this.layer) && node.hasGivenWay(name, this.layer)) return true
        throw this.tooLate(way.join('/'))
      },
    })
  }

  /** The same before the first entry of the layer; `own` are paths that it makes directories, or hides. */
  findLower(
    way: readonly string[],
    { own, make }: { readonly own: ReadonlySet<string>; readonly make: boolean },
  ): DirectoryNode | undefined {
    const isEnd = (_node: DirectoryNode, _name: string, written: string | undefined) =>
      written !== undefined && own.has(written)
    return resolveDirectory(this.tree, way, { ...this.#making(make), lenient: true, isEnd })
  }

  /** The same after the last entry, made where it is missing; `undefined` if the layer has something else on the way. */
  findAfter(way: readonly string[]): DirectoryNode | undefined {
    return resolveDirectory(this.tree, way, {
      ...this.#making(true),
      isEnd: (node, name) => node.has(name, this.layer),
    })
  }

  #making(wanted: boolean): Pick<WayOptions, 'make'> {
    return wanted ? { make: (parent, name) => this.makeDirectory(parent, name) } : {}
  }

  /** Makes a directory. Unless it can have its mode from birth only this process may enter; its own mode comes last of all. */
  makeDirectory(parent: DirectoryNode, name: string, mode = 0o755): DirectoryNode {
    const opaque = parent.hidden.has(name)
    const born = directoryMode(this.metadata.birth, mode)
    this.create(parent, name, path => mkdirSync(path, born))
    const node = this.tree.adopt(parent, name)
    node.made = true
    node.born = born
    node.opaque = opaque
    this.counts.directories++
    return node
  }

  /** Makes something under a name, in place of whatever is there. `make` must fail if something is. */
  create<T>(directory: DirectoryNode, name: string, make: (path: string | Buffer) => T): T {
    if (directory.children.has(name) || directory.hidden.has(name)) this.clear(directory, name)
    this.#refuseCollision(directory, name)
    if (this.options.overwrite) this.written.push(childOf(directory, name))
    try {
      return make(this.tree.at(directory, name))
    } catch (error) {
      if (!isErrno(error, 'EEXIST')) throw error
    }
    this.clear(directory, name)
    this.#refuseCollision(directory, name)
    return make(this.tree.at(directory, name))
  }

  /** Removes whatever stands under a name. */
  clear(directory: DirectoryNode, name: string): void {
    const child = directory.children.get(name)
    if (child) {
      if (child.usedBelow === this.layer) directory.use(name, this.layer)
      directory.giveWay(name, this.layer)
      this.tree.drop(child)
    }
    directory.forget(name)
    removeTree(this.tree.at(directory, name), this.options.handles)
  }

  /** Notes something that could not be applied. */
  skip(path: string, what: SkippedDetail['what'], reason: string): void {
    this.skipped.push({ path, what, reason })
  }

  /** An error about a path of the layer at hand. */
  fault(code: RootfsErrorCode, message: string, path: string, cause?: unknown): RootfsError {
    return new RootfsError(code, message, { path, layer: this.layerName }, cause === undefined ? {} : { cause })
  }

  /** The error about a mark that should have come before other entries of its layer. */
  tooLate(path: string): RootfsError {
    return this.fault('ERR_INVALID_WHITEOUT', 'a whiteout comes after entries that need what it hides', path)
  }

  #refuseCollision(directory: DirectoryNode, name: string): void {
    if (!this.options.foldsNames) return
    const other = directory.collision(name)
    if (other === undefined) return
    const message = `this file system takes it for the same name as ${JSON.stringify(other)}`
    throw this.fault('ERR_UNSUPPORTED_ENTRY', message, childOf(directory, name))
  }
}

/** The path of a name in a directory, for people. */
export function childOf(directory: DirectoryNode, name: string): string {
  return directory.parent ? `${directory.path}/${name}` : name
}
