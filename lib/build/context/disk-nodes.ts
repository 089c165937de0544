import { type BigIntStats, constants, lstatSync, readlinkSync, type Stats } from 'node:fs'
import { isErrno } from '../../internal/errno.ts'
import { decodeName, systemPath } from '../../internal/name-bytes.ts'
import { type ListedName, openFailure, replacedFailure, type XattrLister } from '../../layer/index.ts'
import type { KnownFile } from './digest-cache.ts'
import { type Identity, identityOf, isIdentity, type RoundedIdentity } from './file-identity.ts'
import { orSourceError } from './read-context-file.ts'
import type { SourceNode } from './source-tree.ts'
import type { RowStats } from './stat-rows.ts'

/** A node of a directory on disk. */
export interface DiskNode extends SourceNode {
  /** Row of the numbers that are its identity, where these were read; see {@link DiskNodes.identity}. */
  readonly row?: number | undefined
  /** Exact identity of a file or directory, once it is known. */
  exact?: string | undefined
  /** Digest of a file, once it was asked for. */
  known?: KnownFile | undefined
}

/** Parts of {@link DiskNodes}. */
export interface DiskNodesParts {
  /** Real path of the directory. */
  readonly root: string
  readonly xattrs?: XattrLister | undefined
  /** Time of all files, in seconds since 1970. @defaultValue the time of each */
  readonly mtime?: number | undefined
  /** Read numbers instead of exact identities: an earlier build has kept identities to compare them with. */
  readonly rounds: boolean
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
const COLUMNS = 5

/**
 * Looks at paths of a directory on disk, and makes nodes of them.
 *
 * PERF: `lstat` with large integers takes three times as long as with numbers, nearly all of it for objects that are
 * garbage at once. Numbers are enough to compare a file with the identity that an earlier build has kept.
 */
export class DiskNodes {
  readonly #parts: DiskNodesParts
  /** PERF: numbers of all nodes in one array, which collections of garbage do not copy. */
  #rows = new Float64Array(COLUMNS * 1024)
  #count = 0

  constructor(parts: DiskNodesParts) {
    this.#parts = parts
  }

  /**
   * Returns the node of a path, or `undefined` if there is nothing that a layer can have.
   *
   * @param seen - What a thread has seen at the path just before.
   */
  look(path: string, seen?: RowStats): DiskNode | undefined {
    if (this.#parts.rounds) {
      const stats = seen ?? this.#lstat(path, roundedStats)
      if (!stats) return undefined
      if (isRepresented(stats)) return this.#nodeOf(path, stats, { mtime: stats.mtimeMs / 1000, stats })
    }
    const exact = this.#lstat(path, exactStats)
    if (!exact) return undefined
    return this.#nodeOf(path, typesOf(exact), { mtime: Number(exact.mtimeNs) / 1e9, exact: identityOf(exact) })
  }

  /** Returns the identity that a file or directory had when it was looked at. */
  identity({ exact, row, path }: DiskNode): Identity {
    if (exact !== undefined) return exact
    if (row === undefined) throw new Error(`no file and no directory: ${path}`)
    const rows = this.#rows
    return {
      dev: rows[row]!,
      ino: rows[row + 1]!,
      size: rows[row + 2]!,
      mtimeMs: rows[row + 3]!,
      ctimeMs: rows[row + 4]!,
    }
  }

  /**
   * Returns the exact identity that a file had when it was looked at.
   *
   * @throws {@link SourceError} `ERR_SOURCE_CHANGED` if it has another one by now; `ERR_SOURCE_READ`.
   */
  exact(file: DiskNode): string {
    return (
      this.exactIfUnchanged(file) ??
      orSourceError(() => {
        throw replacedFailure(this.place(file.path))
      })
    )
  }

  /** The same for a file or directory; looks again if only numbers are known. `undefined` if it has changed. */
  exactIfUnchanged(node: DiskNode): string | undefined {
    if (node.exact === undefined) {
      const stats = this.#lstat(node.path, exactStats)
      const exact = stats && identityOf(stats)
      if (exact !== undefined && isIdentity(exact, 0, this.identity(node))) node.exact = exact
    }
    return node.exact
  }

  /** Path of a node for messages and system calls. */
  place(path: string): string {
    return path === '.' ? this.#parts.root : `${this.#parts.root}/${path}`
  }

  #lstat<T>(path: string, lstat: (place: string | Buffer) => T): T | undefined {
    const place = this.place(path)
    try {
      return lstat(systemPath(place))
    } catch (error) {
      if (isErrno(error, 'ENOENT', 'ENOTDIR', 'ENAMETOOLONG')) return undefined
      return orSourceError(() => {
        throw openFailure(place, error)
      })
    }
  }

  #nodeOf(path: string, stats: TypeStats, seen: SeenAt): DiskNode | undefined {
    // PERF: each method such as `isFile` of exact stats makes three large integers.
    const type = TYPES.get(stats.mode & constants.S_IFMT)
    if (!type) return undefined
    const mode = stats.mode & 0o7777
    const mtime = this.#parts.mtime ?? seen.mtime
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
        size: isFile ? stats.size : 0,
        mtime,
        inode: isFile && stats.nlink > 1 ? `${stats.dev}:${stats.ino}` : undefined,
        row: seen.stats && this.#keep(seen.stats),
        exact: seen.exact,
        known: undefined,
      }
      return xattrs ? { ...node, xattrs } : node
    }
    const header = { path, type, mode, uid: 0, gid: 0, size: 0, mtime }
    if (type === 'symlink') return { ...header, linkname: orSourceError(() => this.#linkTarget(path)) }
    if (type === 'character-device' || type === 'block-device') {
      const { rdev } = stats
      // Linux keeps both numbers in parts.
      return { ...header, devMajor: (rdev >>> 8) & 0xfff, devMinor: (rdev & 0xff) | ((rdev >>> 12) & 0xfff00) }
    }
    return xattrs ? { ...header, xattrs } : header
  }

  /** Returns the row of the numbers. */
  #keep({ dev, ino, size, mtimeMs, ctimeMs }: RoundedIdentity): number {
    const row = this.#count
    this.#count += COLUMNS
    if (this.#count > this.#rows.length) {
      const larger = new Float64Array(this.#rows.length * 2)
      larger.set(this.#rows)
      this.#rows = larger
    }
    const rows = this.#rows
    rows[row] = dev
    rows[row + 1] = ino
    rows[row + 2] = size
    rows[row + 3] = mtimeMs
    rows[row + 4] = ctimeMs
    return row
  }

  #linkTarget(path: string): string {
    const place = this.place(path)
    try {
      return decodeName(readlinkSync(systemPath(place), { encoding: 'buffer' }))
    } catch (error) {
      throw isErrno(error, 'EINVAL') ? replacedFailure(place) : openFailure(place, error)
    }
  }

  #xattrsOf(path: string, type: SourceNode['type']): SourceNode['xattrs'] {
    const { xattrs } = this.#parts
    const packed = xattrs && orSourceError(() => xattrs(this.place(path), type))
    return packed && new Map(packed.map(([name, value]) => [name, Buffer.from(value, 'base64')]))
  }
}

/** Time of a node, and its identity: numbers or the exact text. */
interface SeenAt {
  readonly mtime: number
  /** The numbers to keep, or the exact identity. */
  readonly stats?: RoundedIdentity | undefined
  readonly exact?: string | undefined
}

/** Members of `Stats` that the type and the header of a node are made of. */
interface TypeStats {
  readonly mode: number
  readonly nlink: number
  readonly rdev: number
  readonly size: number
  /** Numbers, or large integers where these are exact only. */
  readonly dev: number | bigint
  readonly ino: number | bigint
}

function typesOf({ mode, nlink, rdev, size, dev, ino }: BigIntStats): TypeStats {
  return { mode: Number(mode), nlink: Number(nlink), rdev: Number(rdev), size: Number(size), dev, ino }
}

function roundedStats(place: string | Buffer): Stats {
  return lstatSync(place)
}

function exactStats(place: string | Buffer): BigIntStats {
  return lstatSync(place, { bigint: true })
}

/**
 * True if numbers show what is needed of a file: the inode exactly, as some file systems have inodes above 2^53, and
 * the second of its time, which the last microsecond of a second could be rounded to.
 */
function isRepresented({ dev, ino, mtimeMs }: RoundedIdentity): boolean {
  return Number.isSafeInteger(ino) && Number.isSafeInteger(dev) && mtimeMs >= 0 && mtimeMs % 1000 < 999.999
}
