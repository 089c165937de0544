import type { ByteSource } from '../internal/byte-source.ts'

/** Kinds of entries in a layer. */
export type TarEntryType = 'file' | 'directory' | 'symlink' | 'hardlink' | 'character-device' | 'block-device' | 'fifo'

/**
 * Header of one entry in a tar archive.
 *
 * Names (`path`, `linkname`) are bytes in the archive and strings here: valid UTF-8 is decoded, and every other byte
 * becomes a lone surrogate U+DC80…U+DCFF. So no byte is lost, and every name can be written again.
 */
export interface TarHeader {
  /** Path inside the archive, without leading `./` or `/` and without trailing `/`; `.` for the root. */
  readonly path: string
  /** Kind of entry. */
  readonly type: TarEntryType
  /** Permission bits with set-id and sticky bits, at most 0o7777. */
  readonly mode: number
  /** User id of the owner. */
  readonly uid: number
  /** Group id of the owner. */
  readonly gid: number
  /** Size of the content in bytes; 0 except for files. */
  readonly size: number
  /** Modification time in seconds since 1970; may have a fraction. */
  readonly mtime: number
  /** Target of a symbolic link, unchanged, or the path of the entry whose content a hard link shares. */
  readonly linkname?: string
  /** Major number of a device. */
  readonly devMajor?: number
  /** Minor number of a device. */
  readonly devMinor?: number
  /** Extended attributes; values are bytes. */
  readonly xattrs?: ReadonlyMap<string, Uint8Array>
}

/** Stored bytes of a sparse file; the bytes between regions are zeros. */
export interface SparseRegion {
  /** Offset of the region in the file, in bytes. */
  readonly offset: number
  /** Length in bytes, at least 1. */
  readonly length: number
}

/** Header of an entry with its position in the archive. */
export interface ScannedHeader extends TarHeader {
  /**
   * Offset of the stored content in the archive, in bytes. An entry without content has the offset where content would
   * start.
   */
  readonly offset: number
  /**
   * Regions of a sparse file, stored one after the other from `offset` on; `size` includes the holes. Readers return
   * the content with zeros for the holes.
   */
  readonly sparse?: readonly SparseRegion[] | undefined
}

/** Entry returned by {@link readTar}: a header, and the content while the entry is the current one. */
export interface TarEntry extends ScannedHeader {
  /**
   * Content of a file. Read it before you ask for the next entry; unread content is skipped. Pieces are views of the
   * chunks of the source.
   */
  readonly content: AsyncIterable<Uint8Array>
}

/** Entry to write. Only `path` and `type` are required. */
export interface TarInput extends Partial<TarHeader> {
  readonly path: string
  readonly type: TarEntryType
  /**
   * Content of a file: bytes, text, a stream (requires `size`), or a function that opens one. `writeTar` calls the
   * function when it reaches the entry, so that only one file is open at a time.
   */
  readonly content?: ByteSource | string | (() => ByteSource | Promise<ByteSource>)
}
