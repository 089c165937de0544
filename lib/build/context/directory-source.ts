import { createDigestSeries, type Digest, type DigestSeries, type HasherEngine } from '../../digest/index.ts'
import type { AbortOptions } from '../../internal/abort.ts'
import { EventLoopYielder } from '../../internal/concurrency/event-loop-yielder.ts'
import {
  createIgnoreRules,
  type IgnoreRules,
  type ListedName,
  listNames,
  openFailure,
  replacedFailure,
  type XattrLister,
} from '../../layer/index.ts'
import type { AheadOfWalk } from './ahead-of-walk.ts'
import type { DigestCache } from './digest-cache.ts'
import { type DiskNode, DiskNodes } from './disk-nodes.ts'
import { isSettled } from './file-identity.ts'
import type { ListingCache } from './listing-cache.ts'
import { orSourceError, readContextFile, readWholeContextFile, type SeenContextFile } from './read-context-file.ts'
import type { LazyFile, OpenedFile, SourceNode, SourceTree } from './source-tree.ts'
import type { RowStats } from './stat-rows.ts'

/** Parts of a {@link DirectorySource}. */
export interface DirectorySourceParts {
  /** Real path of the directory. */
  readonly root: string
  readonly name: string
  /** Patterns of the ignore file. */
  readonly ignore: readonly string[]
  readonly cache: DigestCache
  /** Names that were read in earlier builds. */
  readonly listings?: ListingCache | undefined
  /** A thread that looks at the paths of these listings. */
  readonly ahead?: Pick<AheadOfWalk, 'pass' | 'read'> | undefined
  readonly xattrs?: XattrLister | undefined
  readonly hasher?: HasherEngine | undefined
  /** Time of all files, in seconds since 1970. @defaultValue the time of each */
  readonly mtime?: number | undefined
}

const PIECE_BYTES = 1024 * 1024
/** PERF: files up to this size are read at once, and handed over many at a time. */
const SMALL_BYTES = 256 * 1024
const BATCH_BYTES = 512 * 1024
const BATCH_FILES = 64

/**
 * A directory on disk as a source tree, without what the ignore patterns exclude. Every path is looked at once and
 * then remembered, so that a build sees one state of it.
 *
 * SAFETY: a component of a path is used only after `lstat` said that it is a directory, so no symbolic link leads out
 * of the root.
 *
 * PERF: synchronous calls, as in the layer room; 40,000 files need one `lstat` each if nothing has changed.
 */
export class DirectorySource implements SourceTree {
  readonly name: string
  readonly keepsOwners = false
  readonly #parts: DirectorySourceParts
  readonly #nodes: DiskNodes
  readonly #rules: IgnoreRules | undefined
  /** Nodes that were asked for one by one, and all directories. Other nodes are in the list of their directory. */
  readonly #seen = new Map<string, DiskNode | undefined>()
  /** Directories in which a path was asked for one by one. */
  readonly #asked = new Set<string>()
  readonly #lists = new Map<string, readonly DiskNode[]>()
  /** Nodes of listed directories by their paths, made for a directory when one of them is asked for. */
  readonly #listed = new Map<string, ReadonlyMap<string, DiskNode>>()
  #buffer: Buffer | undefined

  constructor(parts: DirectorySourceParts) {
    this.#parts = parts
    this.name = parts.name
    this.#nodes = new DiskNodes({ ...parts, rounds: parts.cache.isWarm })
    this.#rules = parts.ignore.length > 0 ? createIgnoreRules(parts.ignore) : undefined
  }

  stat(path: string): DiskNode | undefined {
    const node = this.#look(path)
    return node && this.#isVisible(node.path, node.type) ? node : undefined
  }

  list(path: string): readonly DiskNode[] {
    const known = this.#lists.get(path)
    if (known) return known
    const directory = this.stat(path)
    const nodes = directory?.type === 'directory' ? this.#listNow(path, directory) : []
    this.#lists.set(path, nodes)
    return nodes
  }

  #listNow(path: string, directory: DiskNode): readonly DiskNode[] {
    const { listings, ahead } = this.#parts
    const known = listings?.get(path, this.#nodes.identity(directory))
    if (known) ahead?.pass(known.row + known.names.length)
    const nodes = known && this.#nodesOf(path, known.names, known.row)
    if (nodes) return nodes
    const identity = listings && this.#nodes.exactIfUnchanged(directory)
    const readAt = BigInt(Date.now()) * 1_000_000n
    const names = this.#names(path)
    // SAFETY: the root of the context is asked for its file system; another one may be mounted below it.
    if (identity && isSettled(identity, readAt) && this.#isOnRoot(identity)) listings?.set(path, identity, names)
    return (
      this.#nodesOf(path, names) ??
      orSourceError(() => {
        throw replacedFailure(this.#place(path))
      })
    )
  }

  #isOnRoot(identity: string): boolean {
    const root = this.#look('.')
    const device = root && this.#nodes.exactIfUnchanged(root)?.split(':', 1)[0]
    return device !== undefined && identity.split(':', 1)[0] === device
  }

  /**
   * The visible nodes of a directory with the given names; `undefined` if a name is something else by now.
   *
   * @param row - Row of the first name, where a thread has looked ahead.
   */
  #nodesOf(
    path: string,
    names: readonly ListedName[],
    row = Number.POSITIVE_INFINITY,
  ): readonly DiskNode[] | undefined {
    const prefix = path === '.' ? '' : `${path}/`
    const nodes: DiskNode[] = []
    const isAsked = this.#asked.has(path)
    const { ahead } = this.#parts
    for (let i = 0; i < names.length; i++) {
      const { name, type } = names[i]!
      const below = prefix + name
      if (!type || !this.#isVisible(below, type)) continue
      const node = this.#lookAt(below, type, isAsked, ahead?.read(row + i))
      if (!node) return undefined
      nodes.push(node)
    }
    return nodes
  }

  whyMissing(path: string): string | undefined {
    const pattern = this.#look(path) && this.#rules?.decidedBy(path)
    return pattern === undefined ? undefined : `the ignore pattern ${this.#parts.ignore[pattern]} leaves it out`
  }

  async digests(files: readonly SourceNode[], options: AbortOptions = {}): Promise<readonly Digest[]> {
    const yielder = new EventLoopYielder()
    const digests: Digest[] = []
    const { cache, hasher } = this.#parts
    let series: DigestSeries | undefined
    let buffer: Uint8Array | undefined
    try {
      for (const file of files as readonly DiskNode[]) {
        file.known ??= cache.get(file.path, this.#nodes.identity(file))
        if (!file.known) {
          series ??= await createDigestSeries({ hasher: hasher ?? 'native' })
          buffer ??= Buffer.allocUnsafeSlow(PIECE_BYTES)
          const readAt = BigInt(Date.now()) * 1_000_000n
          const seen = this.#seenFile(file)
          for (const piece of readContextFile(this.#place(file.path), seen, buffer)) {
            series.update(piece)
            if (yielder.shouldYield()) await pause(yielder, options)
          }
          const settled = isSettled(seen.identity, readAt)
          file.known = cache.set(file.path, seen.identity, series.next(), settled)
        }
        digests.push(file.known.digest)
        if (yielder.shouldYield()) await pause(yielder, options)
      }
      return digests
    } finally {
      series?.release()
    }
  }

  lazy(file: SourceNode): LazyFile {
    const node = file as DiskNode
    const content =
      node.size >= SMALL_BYTES
        ? () => this.#pieces(node, {})
        : () => readWholeContextFile(this.#place(node.path), this.#seenFile(node), this.#small(node.size))
    return { content, digest: node.known?.settled ? node.known.digest : undefined }
  }

  async *open(
    files: readonly SourceNode[],
    options: AbortOptions = {},
  ): AsyncGenerator<readonly OpenedFile[], void, undefined> {
    const yielder = new EventLoopYielder()
    let batch: OpenedFile[] = []
    let bytes = 0
    for (const node of files as readonly DiskNode[]) {
      if (yielder.shouldYield()) await pause(yielder, options)
      if (node.size > SMALL_BYTES) {
        batch.push({ node, content: () => this.#pieces(node, options) })
      } else {
        const content = new Uint8Array(node.size)
        batch.push({ node, content: readWholeContextFile(this.#place(node.path), this.#seenFile(node), content) })
        bytes += node.size
      }
      if (bytes < BATCH_BYTES && batch.length < BATCH_FILES) continue
      yield batch
      batch = []
      bytes = 0
    }
    if (batch.length > 0) yield batch
  }

  /** PERF: one buffer for all small files; a buffer for each is garbage that V8 frees late. */
  #small(size: number): Uint8Array {
    this.#buffer ??= Buffer.allocUnsafeSlow(SMALL_BYTES)
    return this.#buffer.subarray(0, size)
  }

  async *#pieces(node: DiskNode, options: AbortOptions): AsyncGenerator<Uint8Array, void, undefined> {
    const yielder = new EventLoopYielder()
    const buffer = Buffer.allocUnsafeSlow(PIECE_BYTES)
    for (const piece of readContextFile(this.#place(node.path), this.#seenFile(node), buffer)) {
      yield Buffer.from(piece)
      if (yielder.shouldYield()) await pause(yielder, options)
    }
  }

  #isVisible(path: string, type: SourceNode['type']): boolean {
    if (!this.#rules?.ignores(path) || path === '.') return true
    return type === 'directory' && this.#rules.mayTakeBackBelow(path) && this.#hasVisible(path)
  }

  /** True if an ignored directory has anything in it that a `!` pattern includes. */
  #hasVisible(path: string): boolean {
    return this.#names(path).some(({ name, type }) => type !== undefined && this.#isVisible(`${path}/${name}`, type))
  }

  #names(path: string): readonly ListedName[] {
    try {
      return listNames(this.#place(path))
    } catch (error) {
      return orSourceError(() => {
        throw openFailure(this.#place(path), error)
      })
    }
  }

  /** The node of a path, ignored or not; `undefined` if it does not exist or if a link is on the way. */
  #look(path: string): DiskNode | undefined {
    if (this.#seen.has(path)) return this.#seen.get(path)
    const slash = path.lastIndexOf('/')
    const directory = slash < 0 ? '.' : path.slice(0, slash)
    const isReal = path === '.' || directory === '.' || this.#look(directory)?.type === 'directory'
    const node = isReal ? (this.#listedIn(directory, path) ?? this.#nodes.look(path)) : undefined
    this.#seen.set(path, node)
    this.#asked.add(directory)
    return node
  }

  #listedIn(directory: string, path: string): DiskNode | undefined {
    const nodes = this.#lists.get(directory)
    if (!nodes) return undefined
    const byPath = this.#listed.get(directory) ?? new Map(nodes.map(node => [node.path, node]))
    this.#listed.set(directory, byPath)
    return byPath.get(path)
  }

  /** The node of a path that a listing has named; `undefined` if it is of another type by now. */
  #lookAt(path: string, type: SourceNode['type'], isAsked: boolean, seen: RowStats | undefined): DiskNode | undefined {
    // PERF: a lookup needs the hash of the path.
    const known = isAsked ? this.#seen.get(path) : undefined
    if (known) return known
    const node = this.#nodes.look(path, seen)
    if (node?.type !== type) return undefined
    // PERF: a map of all files takes a fifth of the time of a scan; a file that is asked for again is in the list.
    if (type === 'directory') this.#seen.set(path, node)
    return node
  }

  #place(path: string): string {
    return this.#nodes.place(path)
  }

  #seenFile(file: DiskNode): SeenContextFile {
    return { identity: this.#nodes.exact(file), size: file.size }
  }
}

/** PERF: the caller asks before whether it is due: an awaited call for each of tens of thousands of files costs. */
async function pause(yielder: EventLoopYielder, { signal }: AbortOptions): Promise<void> {
  await yielder.yield()
  signal?.throwIfAborted()
}
