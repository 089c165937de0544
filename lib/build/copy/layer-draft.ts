import { BuildError } from '../../errors/index.ts'
import { parseWhiteout } from '../../layer/index.ts'
import type { UnionView } from '../../rootfs/index.ts'
import type { TarHeader } from '../../tar/index.ts'
import { type ResolvedPath, type ResolveInTreeOptions, resolveInTree } from '../context/resolve-in-tree.ts'
import type { SourceNode } from '../context/source-tree.ts'
import type { DraftContent } from './draft-content.ts'

/** One path of the layer that is being planned. */
export interface DraftEntry {
  /** Header of the entry; the type is never `hardlink`. */
  readonly header: TarHeader
  /** Content of a file. */
  readonly content?: DraftContent | undefined
  /** Equal for names of one file; absent for a file that has one name. */
  readonly inode?: string | undefined
  /** True for a directory that replaces a directory of the layers below with everything in it. */
  readonly opaque?: boolean | undefined
}

/** Attributes of directories that a step creates. */
export type CreatedDirectory = Pick<TarHeader, 'mode' | 'uid' | 'gid' | 'mtime'>

/**
 * The layer of a step while its sources are placed one after the other, on top of the root filesystem below. Paths are
 * real paths; `resolve` makes them.
 */
export class LayerDraft {
  readonly #below: UnionView | undefined
  readonly #entries = new Map<string, DraftEntry>()
  /** Paths below which the layers below are hidden. */
  readonly #cut = new Set<string>()
  /**
   * Directories of this layer that the layers below do not have, so they have nothing in them.
   *
   * PERF: nearly all of tens of thousands of files are in such a directory; a view resolves each path from its root.
   */
  readonly #isNew = new Set<string>()
  /** PERF: the new directory of the last path: most paths that follow each other are in one directory. */
  #lastNew = '/'

  /** `below` is absent for a layer that is independent of the layers below it. */
  constructor(below: UnionView | undefined) {
    this.#below = below
  }

  /** Everything that was placed. */
  get entries(): ReadonlyMap<string, DraftEntry> {
    return this.#entries
  }

  /** Returns the current node of a path: that of this layer, or else that of the layers below. */
  stat(path: string): SourceNode | undefined {
    return this.#entries.get(path)?.header ?? this.#statBelow(path)
  }

  #statBelow(path: string): SourceNode | undefined {
    if (path === '.') return { path, type: 'directory', mode: 0o755, uid: 0, gid: 0, size: 0, mtime: 0 }
    if (this.#isInNew(path)) return undefined
    return this.#isCut(path) ? undefined : this.#below?.stat(path)
  }

  #isInNew(path: string): boolean {
    const directory = path.slice(0, Math.max(0, path.lastIndexOf('/')))
    if (directory === this.#lastNew) return true
    if (!this.#isNew.has(directory)) return false
    this.#lastNew = directory
    return true
  }

  /** True for a directory with nothing in it, neither here nor in the layers below. */
  isEmpty(directory: string): boolean {
    const prefix = directory === '.' ? '' : `${directory}/`
    for (const path of this.#entries.keys()) if (path.startsWith(prefix)) return false
    if (!this.#below || this.#isNew.has(directory)) return true
    return this.#cut.size === 0 && this.#below.list(directory).length === 0
  }

  get(path: string): DraftEntry | undefined {
    return this.#entries.get(path)
  }

  /** Follows links of the tree as it is now; see {@link resolveInTree}. */
  resolve(path: string, options?: ResolveInTreeOptions): ResolvedPath {
    return resolveInTree(this, path, options)
  }

  /**
   * Places an entry. A directory merges with a directory; every other entry replaces an entry that is no directory.
   *
   * @throws {@link BuildError} `ERR_BUILD_COPY_CONFLICT` for a directory onto another kind of entry, or the reverse.
   */
  place(entry: DraftEntry): void {
    const { path } = entry.header
    refuseWhiteout(path)
    const placed = this.#entries.get(path)
    const existing = placed?.header ?? this.#statBelow(path)
    const isDirectory = entry.header.type === 'directory'
    if (existing && (existing.type === 'directory') !== isDirectory) {
      const [what, onto] = isDirectory
        ? ['a directory', existing.type === 'symlink' ? 'a symbolic link' : `a ${existing.type}`]
        : [`a ${entry.header.type}`, 'a directory']
      throw conflict(path, `cannot copy ${what} onto ${onto}`)
    }
    if (!existing && isDirectory && this.#cut.size === 0) this.#isNew.add(path)
    this.#entries.set(path, placed?.opaque ? { ...entry, opaque: true } : entry)
  }

  /** Places an entry as unpacking an archive does: an existing entry is removed, unless both are directories. */
  replace(entry: DraftEntry): void {
    const { path } = entry.header
    refuseWhiteout(path)
    const existing = this.stat(path)
    const isDirectory = entry.header.type === 'directory'
    if (existing && !(existing.type === 'directory' && isDirectory)) this.#remove(path)
    const opaque = isDirectory && (this.#cut.has(path) || this.#entries.get(path)?.opaque)
    this.#entries.set(path, opaque ? { ...entry, opaque } : entry)
  }

  /**
   * Creates the missing directories of a path.
   *
   * @throws {@link BuildError} `ERR_BUILD_COPY_CONFLICT` if something on the way is no directory.
   */
  makeDirectories(path: string, created: CreatedDirectory): void {
    if (path === '.') return
    const existing = this.stat(path)
    if (existing?.type === 'directory') return
    if (existing) throw conflict(path, `cannot create a directory: a ${existing.type} is there`)
    const slash = path.lastIndexOf('/')
    if (slash > 0) this.makeDirectories(path.slice(0, slash), created)
    refuseWhiteout(path)
    const header = { path, type: 'directory', size: 0, ...created } as const
    if (this.#cut.size === 0) this.#isNew.add(path)
    this.#entries.set(path, this.#cut.has(path) ? { header, opaque: true } : { header })
  }

  #remove(path: string): void {
    this.#entries.delete(path)
    for (const other of [...this.#entries.keys()]) if (other.startsWith(`${path}/`)) this.#entries.delete(other)
    if (this.#below?.stat(path)?.type === 'directory') this.#cut.add(path)
  }

  #isCut(path: string): boolean {
    if (this.#cut.size === 0) return false
    for (let at = path; at !== ''; at = at.slice(0, Math.max(0, at.lastIndexOf('/'))))
      if (this.#cut.has(at)) return true
    return false
  }
}

/**
 * SPEC: SAFETY: a file with such a name deletes another file when the layer is applied; it cannot be a file of an
 * image.
 */
export function refuseWhiteout(path: string): void {
  if (parseWhiteout(path)) throw conflict(path, 'a file of this name would delete another file of the image')
}

/** An error about a path at the destination. */
export function conflict(path: string, why: string): BuildError {
  return new BuildError('ERR_BUILD_COPY_CONFLICT', `${why}: ${JSON.stringify(`/${path}`.slice(0, 512))}`, { path })
}
