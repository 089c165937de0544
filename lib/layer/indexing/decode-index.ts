import type { Digest } from '../../digest/index.ts'
import type { SparseRegion } from '../../tar/index.ts'
import type { IndexedEntry, LayerIndex } from '../layer-index.ts'
import { KINDS, type StoredIndex } from './stored-index.ts'

/** The members of an entry, all of them settable while it is put together. */
type Draft = { -readonly [K in keyof IndexedEntry]: IndexedEntry[K] }

/** The index in stored bytes; `undefined` if they are not one, or that of another layer. It can be made again then. */
export function decodeIndex(bytes: Uint8Array, diffId: Digest): LayerIndex | undefined {
  const stored = parse(bytes)
  if (stored?.version !== 1 || stored.diffId !== diffId) return undefined
  try {
    const { version, duplicates } = stored
    return { version, diffId, bytes: stored.bytes, entries: entriesOf(stored), duplicates: [...duplicates] }
  } catch (error) {
    if (error instanceof Malformed || error instanceof TypeError) return undefined
    throw error
  }
}

class Malformed extends Error {}

function parse(bytes: Uint8Array): StoredIndex | undefined {
  try {
    return JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8')) as StoredIndex
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}

function entriesOf(stored: StoredIndex): IndexedEntry[] {
  const { paths, kinds, digests } = stored
  const count = paths.length
  if (kinds.length !== count) throw new Malformed()
  const numbers = [stored.modes, stored.uids, stored.gids, stored.mtimes, stored.sizes, stored.gaps]
  const [modes, uids, gids, mtimes, sizes, gaps] = numbers.map(column => expand(column, count))
  const entries: Draft[] = []
  let end = 0
  let hex = 0
  for (let i = 0; i < count; i++) {
    const type = KINDS[kinds.charCodeAt(i) - 48]
    if (!type || typeof paths[i] !== 'string') throw new Malformed()
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

/** Undoes the counting of repetitions. */
function expand(counted: readonly number[], count: number): number[] {
  const values = new Array<number>(count)
  let filled = 0
  for (let i = 0; i < counted.length; i += 2) {
    const value = counted[i]
    const times = counted[i + 1]
    // SAFETY: a number of repetitions is bounded before it is used.
    if (typeof value !== 'number' || !(times! >= 1 && times! <= count - filled)) throw new Malformed()
    values.fill(value, filled, filled + times!)
    filled += times!
  }
  if (filled !== count) throw new Malformed()
  return values
}

function addRareMembers(entries: Draft[], { links, devices, xattrs, sparse = [] }: StoredIndex): void {
  for (const [i, linkname] of links) at(entries, i).linkname = linkname
  for (const [i, devMajor, devMinor] of devices) Object.assign(at(entries, i), { devMajor, devMinor })
  for (const [i, pairs] of xattrs) {
    at(entries, i).xattrs = new Map(pairs.map(([name, value]) => [name, Buffer.from(value, 'base64')]))
  }
  for (const [i, numbers] of sparse) at(entries, i).sparse = regionsOf(numbers, at(entries, i).size)
}

/** SAFETY: whoever reads the file takes them for granted. */
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
