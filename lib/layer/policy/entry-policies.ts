import type { TarEntryType } from '../../tar/index.ts'

/** Time, owner and permissions of entries, whatever their source says. */
export interface EntryPolicies {
  /**
   * Time of every entry, in seconds since 1970: a number; `'source'`, that of the source; `'clamp'`, that of the source
   * but not after `SOURCE_DATE_EPOCH` (0 if that is not set); `{ notAfter }`, not after a time; or what a function
   * says.
   */
  readonly mtime?:
    | number
    | 'source'
    | 'clamp'
    | LatestTime
    | ((path: string, type: TarEntryType, mtime: number) => number)
    | undefined
  /** Owner of every entry: a number, that of the source, or what a function makes of that. */
  readonly uid?: OwnerPolicy | undefined
  /** Group of every entry, likewise. */
  readonly gid?: OwnerPolicy | undefined
  /**
   * Permissions: `'normal'` gives 0755 to directories and to what its owner may execute, 0777 to links and 0644 to all
   * else, so that the umask of a checkout does not matter; `'source'` keeps all of them; a number goes to everything
   * but links, `{ files, directories }` to those; or what a function says.
   */
  readonly mode?:
    | 'normal'
    | 'source'
    | number
    | KindModes
    | ((path: string, type: TarEntryType, mode: number) => number)
    | undefined
}

/** A number for all, the source's own, or a function of that. */
export type OwnerPolicy = number | 'source' | ((id: number, path: string) => number)

/** A time that no entry may be after. */
export interface LatestTime {
  /** Seconds since 1970. */
  readonly notAfter: number
}

/** Permissions by the kind of an entry. */
export interface KindModes {
  /** For everything but directories and symbolic links. */
  readonly files: number
  /** For directories. */
  readonly directories: number
}
