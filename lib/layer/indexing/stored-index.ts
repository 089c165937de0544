import type { TarEntryType } from '../../tar/index.ts'

/** Kinds of entries; the place in this list is what is stored. Only ever add at the end. */
export const KINDS: readonly TarEntryType[] = [
  'file',
  'directory',
  'symlink',
  'hardlink',
  'character-device',
  'block-device',
  'fifo',
]

/** Bytes in front of the parts: the sizes of the first two, as 32-bit numbers, low byte first. */
export const PARTS_BEGIN = 8

/**
 * How an index is stored: sizes, then this as JSON, then all paths with a NUL behind each but the last, then the
 * SHA-256 of every file, 32 bytes each. In columns, one value for each entry, in the order of the entries; columns of
 * numbers hold each value followed by its number of repetitions. Paths are bytes, as in the archive. Other names that
 * are not UTF-8 have lone surrogates, which JSON writes as `\udcXX`.
 */
export interface StoredIndex {
  readonly version: 2
  readonly diffId: string
  readonly bytes: number
  readonly duplicates: readonly string[]
  /** A digit for each entry: its place in {@link KINDS}. */
  readonly kinds: string
  readonly modes: readonly number[]
  readonly uids: readonly number[]
  readonly gids: readonly number[]
  readonly mtimes: readonly number[]
  readonly sizes: readonly number[]
  /** Bytes from the end of the content before (in whole blocks) to the content of the entry. */
  readonly gaps: readonly number[]
  /** Place of an entry, and its linkname. */
  readonly links: readonly (readonly [number, string])[]
  /** Place of an entry, and its device numbers. */
  readonly devices: readonly (readonly [number, number, number])[]
  /** Place of an entry, and its attributes, values in base64. */
  readonly xattrs: readonly (readonly [number, readonly (readonly [string, string])[]])[]
  /** Place of a sparse file, and offset and length of its regions by turns; absent if there is none. */
  readonly sparse?: readonly (readonly [number, readonly number[]])[]
  /** Places of sparse files whose digest is that of the stored bytes; absent if there is none. */
  readonly storedOnly?: readonly number[]
}
