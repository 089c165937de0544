import type { TarEntryType } from '../../tar/index.ts'

/** Scan result for one file, directory, link or device. Plain data, so that threads can exchange it. */
export interface SourceEntry {
  /** Path inside the directory. */
  readonly path: string
  readonly type: TarEntryType
  /** Permission bits, including set-id and sticky. */
  readonly mode: number
  readonly uid: number
  readonly gid: number
  /** Size of a file in bytes. */
  readonly size: number
  /** Seconds since 1970, with fraction. */
  readonly mtime: number
  /** Target of a symbolic link; for a hard link the path of the first name of the file. */
  readonly linkname?: string | undefined
  readonly devMajor?: number | undefined
  readonly devMinor?: number | undefined
  /** Extended attributes, values in base64. */
  readonly xattrs?: readonly (readonly [name: string, value: string])[] | undefined
  /** Device and inode of a file. With size and time they identify its version. */
  readonly dev?: number | undefined
  readonly ino?: number | undefined
}

/** An entry, or a further piece of the current file. */
export interface SourceStep {
  /** Set in the first step of an entry. */
  readonly entry?: SourceEntry
  /** Position of the content in the bytes of the batch. */
  readonly offset: number
  readonly length: number
  /** True in the last step of an entry. */
  readonly last: boolean
}

/** A scanned file that must be read unchanged. */
export type SeenFile = Pick<SourceEntry, 'size' | 'mtime' | 'dev' | 'ino'>
