import type { TarEntryType } from '../../tar/index.ts'

/**
 * What the scan of a directory says of one file, directory, link or device: plain data, for the way between threads.
 */
export interface SourceEntry {
  /** Path inside the directory. */
  readonly path: string
  readonly type: TarEntryType
  /** Permission bits, set-id and sticky included. */
  readonly mode: number
  readonly uid: number
  readonly gid: number
  /** Bytes of a file. */
  readonly size: number
  /** Seconds since 1970, with fraction. */
  readonly mtime: number
  /** Target of a symbolic link, or the path of the first name of the same file. */
  readonly linkname?: string | undefined
  readonly devMajor?: number | undefined
  readonly devMinor?: number | undefined
  /** Extended attributes, values in base64. */
  readonly xattrs?: readonly (readonly [name: string, value: string])[] | undefined
  /** Device and inode, of a file: with size and time they tell whether it is still the same. */
  readonly dev?: number | undefined
  readonly ino?: number | undefined
}

/** An entry, or a piece of the file that the last entry has begun. */
export interface SourceStep {
  /** Set where an entry begins. */
  readonly entry?: SourceEntry
  /** Content: a part of the batch's bytes. */
  readonly offset: number
  readonly length: number
  /** Whether the entry ends here. */
  readonly last: boolean
}

/** A file that something has seen and that is to be read as it was then. */
export type SeenFile = Pick<SourceEntry, 'size' | 'mtime' | 'dev' | 'ino'>
