import type { Digest } from '../../digest/index.ts'
import { decodeName } from '../../internal/name-bytes.ts'
import type { SparseRegion } from '../../tar/index.ts'
import type { IndexedEntry, LayerIndex } from '../layer-index.ts'
import { KINDS, PARTS_BEGIN, type StoredIndex } from './stored-index.ts'

/** An entry whose members can still be set. */
type Draft = { -readonly [K in keyof IndexedEntry]: IndexedEntry[K] }

/** The parts of a stored index. */
interface Parts {
  readonly stored: StoredIndex
  readonly paths: readonly string[]
  /** Digests in hex, concatenated. */
  readonly digests: string
}

/**
 * Decodes stored bytes; returns `undefined` if they are no index, or the index of another layer. Such an index can be
 * made again.
 */
export function decodeIndex(bytes: Uint8Array, diffId: Digest): LayerIndex | undefined {
  try {
    const parts = partsOf(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength))
    const { stored } = parts
    if (stored.version !== 2 || stored.diffId !== diffId) return undefined
    return { version: 1, diffId, bytes: stored.bytes, entries: entriesOf(parts), duplicates: [...stored.duplicates] }
  } catch (error) {
    if (error instanceof Malformed || error instanceof TypeError || error instanceof SyntaxError) return undefined
    throw error
  }
}

class Malformed extends Error {}

function partsOf(bytes: Buffer): Parts {
  if (bytes.byteLength < PARTS_BEGIN) throw new Malformed()
  const columnsEnd = PARTS_BEGIN + bytes.readUInt32LE(0)
  const pathsEnd = columnsEnd + bytes.readUInt32LE(4)
  if (pathsEnd > bytes.byteLength) throw new Malformed()
  const stored = JSON.parse(bytes.toString('utf8', PARTS_BEGIN, columnsEnd)) as StoredIndex
  const paths = stored.kinds === '' ? [] : pathsIn(bytes.subarray(columnsEnd, pathsEnd))
  return { stored, paths, digests: bytes.toString('hex', pathsEnd) }
}

function pathsIn(bytes: Buffer): string[] {
  const text = bytes.toString('utf8')
  if (!text.includes('\ufffd')) return text.split('\0')
  // PERF: most names are UTF-8; only the others are decoded byte by byte.
  const names = bytes.toString('latin1').split('\0')
  return names.map(name => decodeName(Buffer.from(name, 'latin1')))
}

function entriesOf({ stored, paths, digests }: Parts): IndexedEntry[] {
  const { kinds } = stored
  const count = paths.length
  if (kinds.length !== count) throw new Malformed()
  const numbers = [stored.modes, stored.uids, stored.gids, stored.mtimes, stored.sizes, stored.gaps]
  const [modes, uids, gids, mtimes, sizes, gaps] = numbers.map(column => expand(column, count))
  const entries: Draft[] = []
  let end = 0
  let hex = 0
  for (let i = 0; i < count; i++) {
    const type = KINDS[kinds.charCodeAt(i) - 48]
    if (!type) throw new Malformed()
    const offset = end + gaps![i]!
    end = offset + Math.ceil(sizes![i]! / 512) * 512
    const entry: Draft = {
      path: paths[i]!,
      type,
      mode: modes![i]!,
      uid: uids![i]!,
      gid: gids![i]!,
      size: sizes![i]!,
      mtime: mtimes![i]!,
      offset,
    }
    if (type === 'file') entry.digest = `sha256:${digests.slice(hex, hex + 64)}` as Digest
    if (type === 'file') hex += 64
    entries.push(entry)
  }
  if (hex !== digests.length) throw new Malformed()
  addRareMembers(entries, stored)
  return entries
}

/** Decodes run lengths. */
function expand(counted: readonly number[], count: number): number[] {
  const values = new Array<number>(count)
  let filled = 0
  for (let i = 0; i < counted.length; i += 2) {
    const value = counted[i]
    const times = counted[i + 1]
    // SAFETY: a damaged run length could allocate any amount of memory; it is bounded before it is used.
    if (typeof value !== 'number' || !(times! >= 1 && times! <= count - filled)) throw new Malformed()
    values.fill(value, filled, filled + times!)
    filled += times!
  }
  if (filled !== count) throw new Malformed()
  return values
}

function addRareMembers(entries: Draft[], stored: StoredIndex): void {
  const { links, devices, xattrs, sparse = [], storedOnly = [] } = stored
  for (const [i, linkname] of links) at(entries, i).linkname = linkname
  for (const [i, devMajor, devMinor] of devices) Object.assign(at(entries, i), { devMajor, devMinor })
  for (const [i, pairs] of xattrs) {
    at(entries, i).xattrs = new Map(pairs.map(([name, value]) => [name, Buffer.from(value, 'base64')]))
  }
  for (const [i, numbers] of sparse) at(entries, i).sparse = regionsOf(numbers, at(entries, i).size)
  for (const i of storedOnly) moveDigest(at(entries, i))
}

function moveDigest(entry: Draft): void {
  if (!entry.sparse || !entry.digest) throw new Malformed()
  entry.storedDigest = entry.digest
  delete entry.digest
}

/**
 * SAFETY: readers of the file use the regions without further checks, so regions out of order or range are refused
 * here.
 */
function regionsOf(numbers: readonly number[], size: number): SparseRegion[] {
  const regions: SparseRegion[] = []
  let end = 0
  for (let i = 0; i < numbers.length; i += 2) {
    const [offset, length] = [numbers[i]!, numbers[i + 1]!]
    if (!(offset >= end && length > 0 && offset + length <= size)) throw new Malformed()
    end = offset + length
    regions.push({ offset, length })
  }
  return regions
}

function at(entries: readonly Draft[], i: number): Draft {
  const entry = entries[i]
  if (!entry) throw new Malformed()
  return entry
}
