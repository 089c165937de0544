import type { TarEntryType } from '../../tar/index.ts'

/** Time, owner and permissions of entries; they replace those of the source. */
export interface EntryPolicies {
  /**
   * Time of every entry, in seconds since 1970: a number; `'source'`, the time of the source; `'clamp'`, the time of
   * the source but not after `SOURCE_DATE_EPOCH` (0 if that is not set); `{ notAfter }`, not after that time; or a
   * function that returns it.
   */
  readonly mtime?:
    | number
    | 'source'
    | 'clamp'
    | LatestTime
    | ((path: string, type: TarEntryType, mtime: number) => number)
    | undefined
  /** Owner of every entry: a number, `'source'`, or a function of the source's owner. */
  readonly uid?: OwnerPolicy | undefined
  /** Group of every entry, like `uid`. */
  readonly gid?: OwnerPolicy | undefined
  /**
   * Permissions:
   *
   * - `'normal'`: 0755 for directories and files that their owner may execute, 0777 for links, 0644 for other entries,
   *   so that the umask of a checkout does not matter.
   * - `'source'`: those of the source.
   * - a number: for everything but links.
   * - `{ files, directories }`: for files and directories.
   * - a function that returns them.
   */
  readonly mode?:
    | 'normal'
    | 'source'
    | number
    | KindModes
    | ((path: string, type: TarEntryType, mode: number) => number)
    | undefined
}

/** A number for all entries, the source's own, or a function of the source's. */
export type OwnerPolicy = number | 'source' | ((id: number, path: string) => number)

/** Upper limit of times. */
export interface LatestTime {
  /** Seconds since 1970. */
  readonly notAfter: number
}

/** Permissions by the type of an entry. */
export interface KindModes {
  /** For everything but directories and symbolic links. */
  readonly files: number
  /** For directories. */
  readonly directories: number
}
