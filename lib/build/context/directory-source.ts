import { type BigIntStats, constants, lstatSync, readlinkSync } from 'node:fs'
import { createDigestSeries, type Digest, type DigestSeries, type HasherEngine } from '../../digest/index.ts'
import type { AbortOptions } from '../../internal/abort.ts'
import { EventLoopYielder } from '../../internal/concurrency/event-loop-yielder.ts'
import { isErrno } from '../../internal/errno.ts'
import { decodeName } from '../../internal/name-bytes.ts'
import {
  createIgnoreRules,
  type IgnoreRules,
  type ListedName,
  listNames,
  openFailure,
  replacedFailure,
  systemPath,
  type XattrLister,
} from '../../layer/index.ts'
import type { DigestCache, KnownFile } from './digest-cache.ts'
import { identityOf, isSettled } from './file-identity.ts'
import type { ListingCache } from './listing-cache.ts'
import { orSourceError, readContextFile, readWholeContextFile } from './read-context-file.ts'
import type { LazyFile, OpenedFile, SourceNode, SourceTree } from './source-tree.ts'

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
  readonly xattrs?: XattrLister | undefined
  readonly hasher?: HasherEngine | undefined
  /** Time of all files, in seconds since 1970. @defaultValue the time of each */
  readonly mtime?: number | undefined
}

/** A node of a directory; files and directories have the identity that they had when they were seen. */
interface DirectoryNode extends SourceNode {
  readonly identity?: string | undefined
  /** Digest of a file, once it was asked for. */
  known?: KnownFile | undefined
}

/** Types of nodes by the bits of their mode. A socket has no meaning without its process. */
const TYPES: ReadonlyMap<number, ListedName['type']> = new Map([
  [constants.S_IFREG, 'file'],
  [constants.S_IFDIR, 'directory'],
  [constants.S_IFLNK, 'symlink'],
  [constants.S_IFIFO, 'fifo'],
  [constants.S_IFCHR, 'character-device'],
  [constants.S_IFBLK, 'block-device'],
])
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
  readonly #rules: IgnoreRules | undefined
  /** Nodes that were asked for one by one, and all directories. Other nodes are in the list of their directory. */
  readonly #seen = new Map<string, DirectoryNode | undefined>()
  readonly #lists = new Map<string, readonly DirectoryNode[]>()
  /** Nodes of listed directories by their paths, made for a directory when one of them is asked for. */
  readonly #listed = new Map<string, ReadonlyMap<string, DirectoryNode>>()
  #buffer: Buffer | undefined

  constructor(parts: DirectorySourceParts) {
    this.#parts = parts
    this.name = parts.name
    this.#rules = parts.ignore.length > 0 ? createIgnoreRules(parts.ignore) : undefined
  }

  stat(path: string): DirectoryNode | undefined {
    const node = this.#look(path)
    return node && this.#isVisible(node.path, node.type) ? node : undefined
  }

  list(path: string): readonly DirectoryNode[] {
    const known = this.#lists.get(path)
    if (known) return known
    const directory = this.stat(path)
    const nodes = directory?.type === 'directory' ? this.#listNow(path, directory.identity!) : []
    this.#lists.set(path, nodes)
    return nodes
  }

  #listNow(path: string, identity: string): readonly DirectoryNode[] {
    const { listings } = this.#parts
    const known = listings?.get(path, identity)
    const nodes = known && this.#nodesOf(path, known)
    if (nodes) return nodes
    const readAt = BigInt(Date.now()) * 1_000_000n
    const names = this.#names(path)
    // SAFETY: the root of the context is asked for its file system; another one may be mounted below it.
    if (listings && isSettled(identity, readAt) && this.#isOnRoot(identity)) listings.set(path, identity, names)
    return (
      this.#nodesOf(path, names) ??
      orSourceError(() => {
        throw replacedFailure(this.#place(path))
      })
    )
  }

  #isOnRoot(identity: string): boolean {
    const root = this.#look('.')?.identity
    return root !== undefined && identity.split(':', 1)[0] === root.split(':', 1)[0]
  }

  /** The visible nodes of a directory with the given names; `undefined` if a name is something else by now. */
  #nodesOf(path: string, names: readonly ListedName[]): readonly DirectoryNode[] | undefined {
    const prefix = path === '.' ? '' : `${path}/`
    const nodes: DirectoryNode[] = []
    for (const { name, type } of names) {
      const below = prefix + name
      if (!type || !this.#isVisible(below, type)) continue
      const node = this.#lookAt(below, type)
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
      for (const file of files as readonly DirectoryNode[]) {
        file.known ??= cache.get(file.path, file.identity!)
        if (!file.known) {
          series ??= await createDigestSeries({ hasher: hasher ?? 'native' })
          buffer ??= Buffer.allocUnsafeSlow(PIECE_BYTES)
          const readAt = BigInt(Date.now()) * 1_000_000n
          for (const piece of readContextFile(this.#place(file.path), seenFile(file), buffer)) {
            series.update(piece)
            if (yielder.shouldYield()) await pause(yielder, options)
          }
          file.known = cache.set(file.path, file.identity!, series.next(), isSettled(file.identity!, readAt))
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
    const node = file as DirectoryNode
    const content =
      node.size >= SMALL_BYTES
        ? () => this.#pieces(node, {})
        : () => readWholeContextFile(this.#place(node.path), seenFile(node), this.#small(node.size))
    return { content, digest: node.known?.settled ? node.known.digest : undefined }
  }

  async *open(
    files: readonly SourceNode[],
    options: AbortOptions = {},
  ): AsyncGenerator<readonly OpenedFile[], void, undefined> {
    const yielder = new EventLoopYielder()
    let batch: OpenedFile[] = []
    let bytes = 0
    for (const node of files as readonly DirectoryNode[]) {
      if (yielder.shouldYield()) await pause(yielder, options)
      if (node.size > SMALL_BYTES) {
        batch.push({ node, content: () => this.#pieces(node, options) })
      } else {
        const content = new Uint8Array(node.size)
        batch.push({ node, content: readWholeContextFile(this.#place(node.path), seenFile(node), content) })
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

  async *#pieces(node: DirectoryNode, options: AbortOptions): AsyncGenerator<Uint8Array, void, undefined> {
    const yielder = new EventLoopYielder()
    const buffer = Buffer.allocUnsafeSlow(PIECE_BYTES)
    for (const piece of readContextFile(this.#place(node.path), seenFile(node), buffer)) {
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
  #look(path: string): DirectoryNode | undefined {
    if (this.#seen.has(path)) return this.#seen.get(path)
    const slash = path.lastIndexOf('/')
    const directory = slash < 0 ? '.' : path.slice(0, slash)
    const isReal = path === '.' || directory === '.' || this.#look(directory)?.type === 'directory'
    const node = isReal ? (this.#listedIn(directory, path) ?? this.#lookNow(path)) : undefined
    this.#seen.set(path, node)
    return node
  }

  #listedIn(directory: string, path: string): DirectoryNode | undefined {
    const nodes = this.#lists.get(directory)
    if (!nodes) return undefined
    const byPath = this.#listed.get(directory) ?? new Map(nodes.map(node => [node.path, node]))
    this.#listed.set(directory, byPath)
    return byPath.get(path)
  }

  /** The node of a path that a listing has named; `undefined` if it is of another type by now. */
  #lookAt(path: string, type: SourceNode['type']): DirectoryNode | undefined {
    const known = this.#seen.get(path)
    if (known) return known
    const node = this.#lookNow(path)
    if (node?.type !== type) return undefined
    // PERF: a map of all files takes a fifth of the time of a scan; a file that is asked for again is in the list.
    if (type === 'directory') this.#seen.set(path, node)
    return node
  }

  #lookNow(path: string): DirectoryNode | undefined {
    const place = this.#place(path)
    let stats: BigIntStats
    try {
      stats = lstatSync(systemPath(place), { bigint: true })
    } catch (error) {
      if (isErrno(error, 'ENOENT', 'ENOTDIR', 'ENAMETOOLONG')) return undefined
      return orSourceError(() => {
        throw openFailure(place, error)
      })
    }
    // PERF: each method such as `isFile` makes three large integers.
    const mode = Number(stats.mode)
    const type = TYPES.get(mode & constants.S_IFMT)
    return type && this.#nodeOf(path, type, mode & 0o7777, stats)
  }

  #nodeOf(path: string, type: NonNullable<ListedName['type']>, mode: number, stats: BigIntStats): DirectoryNode {
    const mtime = this.#parts.mtime ?? Number(stats.mtimeNs) / 1e9
    const xattrs = type === 'symlink' ? undefined : this.#xattrsOf(path, type)
    if (type === 'file' || type === 'directory') {
      const isFile = type === 'file'
      // PERF: nearly all nodes are files and directories. One literal makes each of them, with the same members.
      const node = {
        path,
        type,
        mode,
        uid: 0,
        gid: 0,
        size: isFile ? Number(stats.size) : 0,
        mtime,
        inode: isFile && stats.nlink > 1n ? `${stats.dev}:${stats.ino}` : undefined,
        identity: identityOf(stats),
        known: undefined,
      }
      return xattrs ? { ...node, xattrs } : node
    }
    const header = { path, type, mode, uid: 0, gid: 0, size: 0, mtime }
    if (type === 'symlink') return { ...header, linkname: orSourceError(() => this.#linkTarget(path)) }
    if (type === 'character-device' || type === 'block-device') {
      const rdev = Number(stats.rdev)
      // Linux keeps both numbers in parts.
      return { ...header, devMajor: (rdev >>> 8) & 0xfff, devMinor: (rdev & 0xff) | ((rdev >>> 12) & 0xfff00) }
    }
    return xattrs ? { ...header, xattrs } : header
  }

  #linkTarget(path: string): string {
    const place = this.#place(path)
    try {
      return decodeName(readlinkSync(systemPath(place), { encoding: 'buffer' }))
    } catch (error) {
      throw isErrno(error, 'EINVAL') ? replacedFailure(place) : openFailure(place, error)
    }
  }

  #xattrsOf(path: string, type: SourceNode['type']): SourceNode['xattrs'] {
    const { xattrs } = this.#parts
    const packed = xattrs && orSourceError(() => xattrs(this.#place(path), type))
    return packed && new Map(packed.map(([name, value]) => [name, Buffer.from(value, 'base64')]))
  }

  #place(path: string): string {
    return path === '.' ? this.#parts.root : `${this.#parts.root}/${path}`
  }
}

function seenFile({ identity, size }: DirectoryNode): { identity: string; size: number } {
  return { identity: identity!, size }
}

/** PERF: the caller asks before whether it is due: an awaited call for each of tens of thousands of files costs. */
async function pause(yielder: EventLoopYielder, { signal }: AbortOptions): Promise<void> {
  await yielder.yield()
  signal?.throwIfAborted()
}
