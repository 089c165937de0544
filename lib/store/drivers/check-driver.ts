import type { Digest } from '../../digest/index.ts'
import type { AbortOptions } from '../../internal/abort.ts'
import type { Descriptor } from '../../oci/index.ts'
import type { CheckFault } from './check-fault.ts'

/** A file or directory entry found below `blobs/`. */
export type FoundFile =
  | {
      /** Discriminant: a regular file under the name of a blob. */
      readonly kind: 'blob'
      /** Digest of the blob. */
      readonly digest: Digest
      /** Path of the blob, relative to the store. */
      readonly path: string
      /** Size of the blob in bytes. */
      readonly size: number
    }
  /** Under the name of a blob, but no file. */
  | {
      /** Discriminant: something other than a regular file under the name of a blob. */
      readonly kind: 'odd'
      /** Digest of the blob. */
      readonly digest: Digest
      /** Path relative to the store. */
      readonly path: string
      /** Description of the entry found. */
      readonly actual: string
    }
  /** Of somebody else. */
  | {
      /** Discriminant: an entry that no store puts there. */
      readonly kind: 'stray'
      /** Path relative to the store. */
      readonly path: string
      /** Description of the entry found. */
      readonly actual: string
    }

/** An entry of the list of names. */
export interface NamedEntry {
  /** Name of the entry; absent for an entry that another tool wrote without a name. */
  readonly name?: string
  /** The manifest or index that it refers to. */
  readonly descriptor: Descriptor
}

/** The names of a store, as far as they are readable. */
export interface FoundNames {
  /** The readable entries. */
  readonly entries: readonly NamedEntry[]
  /** The faults of the unreadable ones. */
  readonly faults: readonly CheckFault[]
}

/** Outcome for a damaged file of the store. */
export interface MendedFile {
  /** Path relative to the store. */
  readonly path: string
  /** Human-readable description of the action. */
  readonly outcome: string
  /** Path of the damaged file in quarantine. */
  readonly quarantinedTo?: string
}

/** Operations that a driver provides to checks and repairs. To be called by `checkStore` and `repairStore` only. */
export interface CheckDriver {
  /** Whether the store is read-only. */
  readonly readOnly: boolean

  /** Lists everything below `blobs/`, in no order. */
  files(options?: AbortOptions): AsyncIterable<FoundFile>

  /** Reads the names. Does not reject if their content is damaged. */
  names(options?: AbortOptions): Promise<FoundNames>

  /** Finds faults in the other files of the store. */
  faults(options?: AbortOptions): Promise<readonly CheckFault[]>

  /**
   * Moves the file under the name of a blob into quarantine. Resolves to its new path, relative to the store, or to
   * `undefined` if there was none.
   */
  quarantine(digest: Digest): Promise<string | undefined>

  /**
   * Makes a damaged file of the store usable again and keeps the damaged one. `roots` finds images that no name refers
   * to; it is called only if names were lost.
   */
  mend(path: string, roots: () => Promise<readonly Descriptor[]>): Promise<MendedFile | undefined>
}
