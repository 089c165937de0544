import type { TarEntryType } from '../../tar/index.ts'

/** Types of entries. The stored number is the position in this list: only append. */
export const KINDS: readonly TarEntryType[] = [
  'file',
  'directory',
  'symlink',
  'hardlink',
  'character-device',
  'block-device',
  'fifo',
]

/** Bytes before the parts: the sizes of the first two parts, as 32-bit little-endian numbers. */
export const PARTS_BEGIN = 8

/**
 * Stored form of an index: sizes, then this object as JSON, then all paths, separated by NULs, then the SHA-256 of
 * every file, 32 bytes each. A column has one value per entry, in the order of the entries; columns of numbers are
 * run-length encoded. Paths are bytes, as in the archive. In other names, bytes that are not UTF-8 are lone surrogates,
 * which JSON writes as `\udcXX`.
 */
export interface StoredIndex {
  readonly version: 2
  readonly diffId: string
  readonly bytes: number
  readonly duplicates: readonly string[]
  /** One digit per entry: its position in {@link KINDS}. */
  readonly kinds: string
  readonly modes: readonly number[]
  readonly uids: readonly number[]
  readonly gids: readonly number[]
  readonly mtimes: readonly number[]
  readonly sizes: readonly number[]
  /** Bytes from the end of the previous content (in whole blocks) to the content of the entry. */
  readonly gaps: readonly number[]
  /** Index of an entry, and its linkname. */
  readonly links: readonly (readonly [number, string])[]
  /** Index of an entry, and its device numbers. */
  readonly devices: readonly (readonly [number, number, number])[]
  /** Index of an entry, and its attributes, with values in base64. */
  readonly xattrs: readonly (readonly [number, readonly (readonly [string, string])[]])[]
  /** Index of a sparse file, and offset and length of its regions, alternating; absent if there is none. */
  readonly sparse?: readonly (readonly [number, readonly number[]])[]
  /** Indexes of sparse files whose digest covers the stored bytes only; absent if there is none. */
  readonly storedOnly?: readonly number[]
}
