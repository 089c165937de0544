import type { ByteSource } from '../internal/byte-source.ts'

/** Kinds of entries that a layer can hold. */
export type TarEntryType = 'file' | 'directory' | 'symlink' | 'hardlink' | 'character-device' | 'block-device' | 'fifo'

/**
 * What a tar archive says of one entry.
 *
 * Names (`path`, `linkname`) are bytes in the archive. Here they are strings: valid UTF-8 as it is, any other byte as a
 * lone surrogate U+DC80…U+DCFF, so that nothing is lost and every name can be written again.
 */
export interface TarHeader {
  /** Path inside the archive, without `./` or `/` in front and without `/` at the end; `.` for the root itself. */
  readonly path: string
  /** Kind of entry. */
  readonly type: TarEntryType
  /** Permission bits, set-id and sticky included, at most 0o7777. */
  readonly mode: number
  /** Owner. */
  readonly uid: number
  /** Group. */
  readonly gid: number
  /** Bytes of content; 0 for everything but files. */
  readonly size: number
  /** Time of last change, in seconds since 1970; may have a fraction. */
  readonly mtime: number
  /** Target of a symbolic link as it stands, or path of the entry that a hard link shares its content with. */
  readonly linkname?: string
  /** Major number of a device. */
  readonly devMajor?: number
  /** Minor number of a device. */
  readonly devMinor?: number
  /** Extended attributes; values are bytes. */
  readonly xattrs?: ReadonlyMap<string, Uint8Array>
}

/** Bytes of a sparse file that are stored; what lies between regions is zeros. */
export interface SparseRegion {
  /** Where the region begins in the file, in bytes. */
  readonly offset: number
  /** Bytes that it has, at least one. */
  readonly length: number
}

/** A header as it stands in an archive, and where. */
export interface ScannedHeader extends TarHeader {
  /** Where the stored content begins in the archive, in bytes; for entries without content, where it would. */
  readonly offset: number
  /**
   * Of a sparse file, the regions that are stored, one behind the other from `offset` on; `size` counts the holes as well.
   * Content is always given with its holes filled.
   */
  readonly sparse?: readonly SparseRegion[] | undefined
}

/** An entry as it is read: its header, and its content while it is the current one. */
export interface TarEntry extends ScannedHeader {
  /**
   * The content of a file, to be read before the next entry is asked for; what is left unread is skipped. Pieces are views
   * of the chunks of the source.
   */
  readonly content: AsyncIterable<Uint8Array>
}

/** An entry to be written. Only `path` and `type` must be there. */
export interface TarInput extends Partial<TarHeader> {
  readonly path: string
  readonly type: TarEntryType
  /**
   * Content of a file: bytes, text, a stream (then `size` must be given), or a function that opens one. A function is
   * called when the entry's turn has come, so that thousands of files are never open at once.
   */
  readonly content?: ByteSource | string | (() => ByteSource | Promise<ByteSource>)
}
