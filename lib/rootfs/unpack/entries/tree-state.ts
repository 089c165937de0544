import { mkdirSync } from 'node:fs'
import { RootfsError, type RootfsErrorCode } from '../../../errors/index.ts'
import { isErrno } from '../../../internal/errno.ts'
import { LayerBudget } from '../../layer-budget.ts'
import type { XattrSetter } from '../../xattrs/xattr-setter.ts'
import { directoryMode } from '../tree/creation-defaults.ts'
import type { DirectoryNode } from '../tree/directory-node.ts'
import { DirectoryTree } from '../tree/directory-tree.ts'
import { removeTree } from '../tree/remove-tree.ts'
import { resolveDirectory, type WayOptions } from '../tree/resolve-directory.ts'
import { NOTHING_WRITTEN, type SkippedDetail, type UnpackCounts } from '../unpack-report.ts'
import { MetadataWriter } from './apply-metadata.ts'
import type { WriterOptions } from './writer-options.ts'

/** State shared by the writers of entries, whiteouts and directories: the tree, the counts and the report. */
export class TreeState {
  readonly tree: DirectoryTree
  readonly options: WriterOptions
  readonly metadata: MetadataWriter
  readonly xattrs: XattrSetter | undefined
  readonly counts: { -readonly [K in keyof UnpackCounts]: number } = { ...NOTHING_WRITTEN }
  /** Metadata and entries that could not be applied since the last answer. */
  skipped: SkippedDetail[] = []
  /** Written paths, for a target that was not empty. */
  readonly written: string[] = []
  /** Directories with an opaque whiteout in the current layer. */
  readonly marked = new Set<string>()
  /** Cost that the current layer may have beside its entries. */
  budget = new LayerBudget()
  /** Index of the current layer. */
  layer = -1
  /** Digest of the current layer, for errors. */
  layerName: string | undefined

  constructor(path: string, options: WriterOptions, xattrs: XattrSetter | undefined) {
    this.tree = new DirectoryTree(path, options.handles)
    this.options = options
    this.metadata = new MetadataWriter(options, xattrs)
    this.xattrs = xattrs
  }

  /**
   * Resolves a path to a directory inside the root. Missing directories are created, also in place of files of lower
   * layers.
   */
  enter(way: readonly string[]): DirectoryNode {
    const make = (parent: DirectoryNode, name: string) => {
      if (!parent.has(name, this.layer)) return this.#makeImplicit(parent, name)
      const message = 'an entry inside something that its own layer makes no directory'
      throw this.fault('ERR_NOT_A_DIRECTORY', message, way.join('/'))
    }
    const onUse = (node: DirectoryNode, name: string) => node.use(name, this.layer)
    return this.#resolve(way, { make, onUse })!
  }

  /** Resolves a path to a directory inside the root; returns `undefined` if there is none. */
  find(way: readonly string[]): DirectoryNode | undefined {
    return this.#resolve(way, { onUse: (node, name) => node.use(name, this.layer) })
  }

  /**
   * Resolves the directory of a whiteout that comes among the entries. With `make`, missing directories are created;
   * otherwise the result is `undefined`.
   *
   * SPEC: whiteouts apply to lower layers. If this layer replaced a directory, everything in it is already removed, so
   * a whiteout below it hides nothing (umoci writes `x` and then `x/.wh.y` for such a directory).
   *
   * @throws {@link RootfsError} `ERR_INVALID_WHITEOUT` if a component of the path is no directory for another reason:
   * such a whiteout can be resolved only before the first entry.
   */
  findMarked(way: readonly string[], options: { readonly make: boolean }): DirectoryNode | undefined {
    return this.#resolve(way, {
      ...this.#making(options.make),
      isEnd: (node, name) => {
        if (node.has(name, this.layer) && node.hasGivenWay(name, this.layer)) return true
        throw this.tooLate(way.join('/'))
      },
    })
  }

  /**
   * Resolves the directory of a whiteout before the first entry of the layer; `own` are the paths that the layer hides
   * or makes directories.
   */
  findLower(
    way: readonly string[],
    { own, make }: { readonly own: ReadonlySet<string>; readonly make: boolean },
  ): DirectoryNode | undefined {
    const isEnd = (_node: DirectoryNode, _name: string, written: string | undefined) =>
      written !== undefined && own.has(written)
    return this.#resolve(way, { ...this.#making(make), lenient: true, isEnd })
  }

  /**
   * Resolves the directory of an opaque whiteout after the last entry, and creates it if missing; returns `undefined`
   * if the layer has another kind of entry in its path.
   */
  findAfter(way: readonly string[]): DirectoryNode | undefined {
    return this.#resolve(way, {
      ...this.#making(true),
      isEnd: (node, name) => node.has(name, this.layer),
    })
  }

  #resolve(way: readonly string[], options: Omit<WayOptions, 'mayFollow'>): DirectoryNode | undefined {
    const mayFollow = (target: string) => this.budget.mayFollow(target)
    return resolveDirectory(this.tree, way, { ...options, mayFollow, layer: this.layerName })
  }

  #making(wanted: boolean): Pick<WayOptions, 'make'> {
    return wanted ? { make: (parent, name) => this.#makeImplicit(parent, name) } : {}
  }

  /** Creates a directory without an entry. */
  #makeImplicit(parent: DirectoryNode, name: string): DirectoryNode {
    this.budget.makeDirectory()
    return this.makeDirectory(parent, name)
  }

  /**
   * Creates a directory. Unless it can have its mode at creation, only this process may enter it, and it gets its mode
   * last.
   */
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

  /** Creates an entry under a name, and replaces an existing one. `make` must fail if the path exists. */
  create<T>(
    directory: DirectoryNode,
    name: string,
    make: (path: string | Buffer) => T,
    { isTemporary = false }: { readonly isTemporary?: boolean } = {},
  ): T {
    if (directory.children.has(name) || directory.hidden.has(name)) this.clear(directory, name)
    this.#refuseCollision(directory, name)
    if (this.options.overwrite && !isTemporary) this.written.push(childOf(directory, name))
    try {
      return make(this.tree.at(directory, name))
    } catch (error) {
      if (!isErrno(error, 'EEXIST')) throw error
    }
    this.clear(directory, name)
    this.#refuseCollision(directory, name)
    return make(this.tree.at(directory, name))
  }

  /** Removes the entry under a name. */
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

  /** Reports metadata or an entry that could not be applied. */
  skip(path: string, what: SkippedDetail['what'], reason: string): void {
    this.skipped.push({ path, what, reason })
  }

  /** Makes an error about a path of the current layer. */
  fault(code: RootfsErrorCode, message: string, path: string, cause?: unknown): RootfsError {
    return new RootfsError(code, message, { path, layer: this.layerName }, cause === undefined ? {} : { cause })
  }

  /** Makes the error about a whiteout that had to come before other entries of its layer. */
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

/** Path of a name in a directory, for messages. */
export function childOf(directory: DirectoryNode, name: string): string {
  return directory.parent ? `${directory.path}/${name}` : name
}
