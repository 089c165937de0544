import { GZIP_BLOCK, GZIP_WINDOW } from '../../compression/index.ts'
import { createDigestSeries, type Digest, type DigestSeries } from '../../digest/index.ts'
import type { AbortOptions } from '../../internal/abort.ts'
import { EventLoopYielder } from '../../internal/concurrency/event-loop-yielder.ts'
import { jsonString } from '../../internal/json-string.ts'
import type { LazyList } from '../../internal/memory/lazy-list.ts'
import { headerOf, normalizePath, type PlannedHeader } from '../../tar/index.ts'
import type { IndexColumns } from '../indexing/index-columns.ts'
import type { IndexedEntry } from '../layer-index.ts'
import { assertNew, UniquePaths } from '../policy/unique-paths.ts'
import { isKnown, type KnownEntry, knownDigest, knownSize } from './known-entry.ts'

/** Unit of a tar in bytes; an archive ends with two of them. */
const UNIT = 512
const END_BYTES = 2 * UNIT

/** Known entries: a list of objects, or one that makes them. */
export type KnownEntries = readonly KnownEntry[] | LazyList<KnownEntry>

/** Positions in the tar of a layer that is not written yet. */
export interface LayerLayout {
  readonly entries: KnownEntries
  /** Offset of the end of each entry, padding included. */
  readonly ends: Float64Array
  /** Size of the tar in bytes. */
  readonly bytes: number
  /**
   * One digest for each block of the compressor: of everything that the block and the window before it are made of.
   * Blocks of equal keys have equal bytes and equal windows, whatever layer they are in.
   */
  readonly keys: readonly Digest[]
}

/** A part of the tar: an entry, or the end. */
interface Part {
  readonly start: number
  readonly end: number
  /** All that the bytes of the part follow from. */
  readonly facts: string
}

/**
 * Computes positions and keys, and adds the entries to an index. Reads no content.
 *
 * @returns `undefined` if an entry is not known.
 * @throws {@link FormatError} `ERR_INVALID_ARGUMENT` for an invalid entry, or for a duplicate path.
 */
export async function layOut(
  entries: KnownEntries,
  columns: IndexColumns | undefined,
  { signal }: AbortOptions,
): Promise<LayerLayout | undefined> {
  const series = await createDigestSeries({ hasher: 'native' })
  try {
    const yielder = new EventLoopYielder()
    const blocks = new BlockKeys(series)
    const paths = new UniquePaths()
    const ends = new Float64Array(entries.length)
    let end = 0
    for (let i = 0; i < entries.length; i++) {
      const entry = entries.at(i)!
      if (!isKnown(entry)) return undefined
      const size = knownSize(entry)!
      const digest = entry.type === 'file' ? knownDigest(entry)! : undefined
      const planned = headerOf(entry, size)
      assertNew(paths, planned.path)
      const content = end + (planned.pax?.byteLength ?? 0) + UNIT
      columns?.add(indexedOf(entry, planned, { offset: content, digest }))
      const part = { start: end, end: content + padded(size), facts: factsOf(planned, digest) }
      blocks.add(part)
      end = part.end
      ends[i] = end
      if (yielder.shouldYield()) {
        await yielder.yield()
        signal?.throwIfAborted()
      }
    }
    const bytes = end + END_BYTES
    blocks.add({ start: end, end: bytes, facts: 'end' })
    return { entries, ends, bytes, keys: blocks.end(bytes) }
  } finally {
    series.release()
  }
}

/** Computes the keys of blocks while the parts of a tar are added in order. */
class BlockKeys {
  readonly #series: DigestSeries
  readonly #keys: Digest[] = []
  /** Parts that the next key depends on. */
  #parts: Part[] = []

  constructor(series: DigestSeries) {
    this.#series = series
  }

  add(part: Part): void {
    this.#parts.push(part)
    // A block that ends here may be the last one, which is compressed in another way.
    while (part.end > this.#nextEnd) this.#close(false)
  }

  end(bytes: number): readonly Digest[] {
    while (bytes > this.#nextEnd) this.#close(false)
    this.#close(true)
    return this.#keys
  }

  get #nextEnd(): number {
    return (this.#keys.length + 1) * GZIP_BLOCK
  }

  #close(last: boolean): void {
    const end = this.#nextEnd
    const from = end - GZIP_BLOCK
    // SAFETY: no text of facts has a newline, so different lists of parts give different bytes.
    const lines = this.#parts.filter(({ start }) => start < end).map(({ start, facts }) => `${start - from} ${facts}\n`)
    this.#series.update(Buffer.from(`${last ? 'last' : 'inner'}\n${lines.join('')}`, 'latin1'))
    this.#keys.push(this.#series.next())
    this.#parts = this.#parts.filter(part => part.end > end - GZIP_WINDOW)
  }
}

/** Names in a planned header are ASCII; a name that is not has a PAX record. */
function factsOf({ header, pax }: PlannedHeader, digest: Digest | undefined): string {
  const { name, type, mode, uid, gid, mtime, size, linkname } = header
  const numbers = `${type} ${mode} ${uid} ${gid} ${mtime.getTime()} ${size}`
  const records = pax?.toString('base64') ?? ''
  return `${numbers} ${digest ?? ''} ${records} ${jsonString(name)} ${linkname === undefined ? '' : jsonString(linkname)}`
}

/** The record that a reader of the tar would make. */
function indexedOf(
  { type, uid = 0, gid = 0, mtime = 0, linkname }: KnownEntry,
  { path, header: { mode, size } }: PlannedHeader,
  place: { readonly offset: number; readonly digest: Digest | undefined },
): IndexedEntry {
  // PERF: nearly all records have the same members, which V8 reads faster than those of several kinds of objects.
  const record = {
    path,
    type,
    mode: mode & 0o7777,
    uid,
    gid,
    size,
    mtime: Math.floor(mtime),
    offset: place.offset,
    digest: place.digest,
  }
  if (linkname === undefined || type === 'file') return record
  return { ...record, linkname: type === 'hardlink' ? normalizePath(linkname, 'ERR_INVALID_ARGUMENT') : linkname }
}

function padded(size: number): number {
  return Math.ceil(size / UNIT) * UNIT
}
