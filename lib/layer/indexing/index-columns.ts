import type { Digest } from '../../digest/index.ts'
import { encodeName } from '../../internal/name-bytes.ts'
import type { IndexedEntry } from '../layer-index.ts'
import { KINDS, PARTS_BEGIN, type StoredIndex } from './stored-index.ts'

/** Number of entries whose names and digests are kept as strings before they are packed. */
const PACKED_AT_ONCE = 1024

/** Members of a layer's index besides its entries. */
export interface IndexFacts {
  readonly diffId: Digest
  readonly bytes: number
  readonly duplicates: readonly string[]
}

/**
 * Encodes an index, see {@link StoredIndex}: takes the entries one by one and keeps no object of them.
 *
 * PERF: columns with run lengths, digests as bytes and paths outside of JSON: 10,000 entries take 1.1 MB, and half of
 * the time that a list of objects takes to read.
 */
export class IndexColumns {
  readonly #kinds: number[] = []
  readonly #modes = new Runs()
  readonly #uids = new Runs()
  readonly #gids = new Runs()
  readonly #mtimes = new Runs()
  readonly #sizes = new Runs()
  /** Distance from the end of one content to the start of the next one; nearly always 512, the header. */
  readonly #gaps = new Runs()
  readonly #links: StoredIndex['links'][number][] = []
  readonly #devices: StoredIndex['devices'][number][] = []
  readonly #xattrs: StoredIndex['xattrs'][number][] = []
  readonly #sparse: NonNullable<StoredIndex['sparse']>[number][] = []
  readonly #storedOnly: number[] = []
  readonly #paths = new PackedStrings('\0', names => encodeName(names))
  readonly #digests = new PackedStrings('', hex => Buffer.from(hex, 'hex'))
  #end = 0

  /** Adds an entry. */
  add(entry: IndexedEntry): void {
    const { path, type, mode, uid, gid, size, mtime, offset, digest = entry.storedDigest } = entry
    this.#addRareMembers(entry)
    this.#kinds.push(KINDS.indexOf(type))
    this.#modes.push(mode)
    this.#uids.push(uid)
    this.#gids.push(gid)
    this.#mtimes.push(mtime)
    this.#sizes.push(size)
    this.#gaps.push(offset - this.#end)
    this.#end = offset + Math.ceil(size / 512) * 512
    this.#paths.push(path)
    if (digest !== undefined) this.#digests.push(digest.slice('sha256:'.length))
  }

  #addRareMembers({ linkname, devMajor, devMinor, xattrs, sparse, storedDigest }: IndexedEntry): void {
    const i = this.#kinds.length
    if (linkname !== undefined) this.#links.push([i, linkname])
    if (devMajor !== undefined && devMinor !== undefined) this.#devices.push([i, devMajor, devMinor])
    if (xattrs && xattrs.size > 0) this.#xattrs.push([i, base64(xattrs)])
    if (sparse) this.#sparse.push([i, sparse.flatMap(({ offset, length }) => [offset, length])])
    if (storedDigest !== undefined) this.#storedOnly.push(i)
  }

  /** Returns the stored form of all added entries. Equal indexes have equal bytes. */
  encode({ diffId, bytes, duplicates }: IndexFacts): Uint8Array {
    const stored: StoredIndex = {
      version: 2,
      diffId,
      bytes,
      duplicates,
      kinds: this.#kinds.join(''),
      modes: this.#modes.counted,
      uids: this.#uids.counted,
      gids: this.#gids.counted,
      mtimes: this.#mtimes.counted,
      sizes: this.#sizes.counted,
      gaps: this.#gaps.counted,
      links: this.#links,
      devices: this.#devices,
      xattrs: this.#xattrs,
      ...(this.#sparse.length > 0 ? { sparse: this.#sparse } : {}),
      ...(this.#storedOnly.length > 0 ? { storedOnly: this.#storedOnly } : {}),
    }
    const columns = Buffer.from(JSON.stringify(stored), 'utf8')
    const paths = this.#paths.bytes()
    const sizes = Buffer.alloc(PARTS_BEGIN)
    sizes.writeUInt32LE(columns.byteLength, 0)
    sizes.writeUInt32LE(paths.byteLength, 4)
    return Buffer.concat([sizes, columns, paths, this.#digests.bytes()])
  }
}

/** Run-length encoding: 5 5 5 7 is [5, 3, 7, 1]. */
class Runs {
  readonly counted: number[] = []

  push(value: number): void {
    const { counted } = this
    if (counted.length > 0 && counted[counted.length - 2] === value) counted[counted.length - 1]!++
    else counted.push(value, 1)
  }
}

/**
 * Strings, joined and encoded as bytes.
 *
 * PERF: a thousand strings are packed at a time, because tens of thousands of small strings need much memory.
 */
class PackedStrings {
  readonly #between: string
  readonly #encode: (joined: string) => Buffer
  readonly #packed: Buffer[] = []
  #waiting: string[] = []

  constructor(between: string, encode: (joined: string) => Buffer) {
    this.#between = between
    this.#encode = encode
  }

  push(text: string): void {
    if (this.#waiting.push(text) === PACKED_AT_ONCE) this.#pack()
  }

  bytes(): Buffer {
    if (this.#waiting.length > 0) this.#pack()
    return Buffer.concat(this.#packed)
  }

  #pack(): void {
    const joined = this.#waiting.join(this.#between)
    this.#packed.push(this.#encode(this.#packed.length > 0 ? this.#between + joined : joined))
    this.#waiting = []
  }
}

function base64(xattrs: ReadonlyMap<string, Uint8Array>): (readonly [string, string])[] {
  return [...xattrs].map(([name, value]) => [name, Buffer.from(value).toString('base64')] as const)
}
