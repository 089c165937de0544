import type { Digest } from '../../digest/index.ts'
import type { AbortOptions } from '../../internal/abort.ts'
import type { Descriptor } from '../../oci/index.ts'
import type { CheckFault } from './check-fault.ts'

/** Something in the place where blobs are. */
export type FoundFile =
  | {
      /** Which of these it is. */
      readonly kind: 'blob'
      /** Digest of the blob. */
      readonly digest: Digest
      /** Where it is, relative to the store. */
      readonly path: string
      /** Size of the blob in bytes. */
      readonly size: number
    }
  /** Under the name of a blob, but no file. */
  | {
      /** Which of these it is. */
      readonly kind: 'odd'
      /** Digest of the blob. */
      readonly digest: Digest
      /** Where it is, relative to the store. */
      readonly path: string
      /** What was found instead. */
      readonly actual: string
    }
  /** Of somebody else. */
  | {
      /** Which of these it is. */
      readonly kind: 'stray'
      /** Where it is, relative to the store. */
      readonly path: string
      /** What was found instead. */
      readonly actual: string
    }

/** An entry of the list of names. */
export interface NamedEntry {
  /** Absent for an entry that other tools wrote without a name. */
  readonly name?: string
  /** The manifest or index it stands for. */
  readonly descriptor: Descriptor
}

/** The names, as far as they can be understood. */
export interface FoundNames {
  /** What could be read. */
  readonly entries: readonly NamedEntry[]
  /** What could not. */
  readonly faults: readonly CheckFault[]
}

/** What became of a file of the store that was damaged. */
export interface MendedFile {
  /** Where it is, relative to the store. */
  readonly path: string
  /** What was done, for people. */
  readonly outcome: string
  /** Where the damaged file is kept. */
  readonly quarantinedTo?: string
}

/** What a driver gives to checks and repairs. Not meant to be called by others than `checkStore` and `repairStore`. */
export interface CheckDriver {
  /** Whether nothing may be moved or mended. */
  readonly readOnly: boolean

  /** Everything in the place where blobs are, in no order. */
  files(options?: AbortOptions): AsyncIterable<FoundFile>

  /** The names. Never rejects over what they say. */
  names(options?: AbortOptions): Promise<FoundNames>

  /** What is wrong with other files of the store. */
  faults(options?: AbortOptions): Promise<readonly CheckFault[]>

  /**
   * Takes a blob, or what stands under its name, out of the way, and keeps it. Resolves to where, relative to the store;
   * `undefined` if there was nothing.
   */
  quarantine(digest: Digest): Promise<string | undefined>

  /**
   * Makes a damaged file of the store usable again, and keeps the damaged one. `roots` finds images that no name leads to:
   * called only if names were lost.
   */
  mend(path: string, roots: () => Promise<readonly Descriptor[]>): Promise<MendedFile | undefined>
}
