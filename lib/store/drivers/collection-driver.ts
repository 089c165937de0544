import type { Digest } from '../../digest/index.ts'
import type { AbortOptions } from '../../internal/abort.ts'
import type { BlobInfo } from '../blob-store.ts'
import type { LeaseInfo } from '../leases/lease-store.ts'
import type { NamedDescriptor } from '../reference-store.ts'

/** A blob and when it was last stored or acknowledged. */
export interface StoredBlob extends BlobInfo {
  /** In milliseconds since 1970, by the clock of whoever did it. */
  readonly modifiedMs: number
}

/** A lease, and whether its holder is known to live (`true`), known to be gone (`false`), or neither. */
export interface LeaseState extends LeaseInfo {
  /** Whether its holder is known to live, to be dead, or unknown. */
  readonly holderLives: boolean | undefined
}

/** What a build cache wants to keep; see the room's README for the format. */
export interface CacheRecord {
  /** Names the record, relative to the cache. */
  readonly record: string
  /** Digests of the blobs it wants to keep. */
  readonly digests: readonly Digest[]
  /** When it was last used, in milliseconds since 1970. */
  readonly modifiedMs: number
}

/** Roots that change while other processes work. */
export interface LiveRoots {
  /** Every named entry; a name that other tools wrote twice comes twice. */
  readonly names: readonly NamedDescriptor[]
  /** Entries of the index without a name, as they stand. */
  readonly entries: readonly unknown[]
  /** Leases, and what each protects. */
  readonly leases: readonly LeaseState[]
}

/** Everything from which blobs are reached. */
export interface CollectionRoots extends LiveRoots {
  /** Expected digests of ingests under way or left for resuming. */
  readonly ingests: readonly Digest[]
  /** Cache records. */
  readonly records: readonly CacheRecord[]
}

/** What happened to a blob that was to go. */
export interface RemovalOutcome {
  /** Digest of the blob. */
  readonly digest: Digest
  /** `changed`: stored or acknowledged again meanwhile; `needed`: reached again; `gone`: somebody else removed it. */
  readonly outcome: 'removed' | 'changed' | 'needed' | 'gone' | 'failed'
  /** What the system said, for `failed`. */
  readonly error?: unknown
}

/** Space that is taken by other things than blobs. */
export interface UnfinishedUsage {
  /** How many. */
  readonly count: number
  /** Bytes of all of them. */
  readonly bytes: number
}

/** What a driver gives to collections. Not meant to be called by others than `planCollection` and `runCollection`. */
export interface CollectionDriver {
  /** Whether nothing may be removed. */
  readonly readOnly: boolean

  /** Every blob, each once, in no order, as many at a time as suits the driver. */
  blobs(options?: AbortOptions): AsyncIterable<readonly StoredBlob[]>

  /**
   * Everything from which blobs are reached.
   *
   * @throws {@link StoreError} `ERR_STORE_FORMAT` if a part of it is damaged: what it kept is then unknown.
   */
  roots(options?: AbortOptions): Promise<CollectionRoots>

  /**
   * The bytes of a blob, not verified; none of them if it is over 4 MiB or does not begin like a JSON object. `undefined`
   * if it is not there.
   */
  document(digest: Digest): Promise<Uint8Array | undefined>

  /** Runs the act while no other collection runs, in any process; brings back what a killed one left half removed. */
  alone<T>(act: () => Promise<T>, options?: AbortOptions): Promise<T>

  /** Takes names away, each only if it still stands for the digest; says which. */
  forgetNames(names: readonly { name: string; digest: Digest }[], options?: AbortOptions): Promise<readonly string[]>

  /** Removes cache records, each only if it has not been used since; says which. */
  forgetRecords(records: readonly { record: string; modifiedMs: number }[]): Promise<readonly string[]>

  /** Removes leases that have ended. */
  forgetLeases(ids: readonly string[]): Promise<void>

  /**
   * Removes a few blobs, those that are as they were (`modifiedMs`) and of which `needed` does not say that they are
   * needed. It is asked while nobody can set a name, with the roots of that moment and those of the blobs that are not as they
   * were; and perhaps again before blobs go for good.
   */
  remove(
    blobs: readonly StoredBlob[],
    needed: (roots: LiveRoots, touched: readonly StoredBlob[]) => Promise<(blob: StoredBlob) => boolean>,
    options?: AbortOptions,
  ): Promise<readonly RemovalOutcome[]>

  /** Ingests that have not come to their end. */
  unfinished(): Promise<UnfinishedUsage>
}

/** Asks which blobs are needed, now that there are these roots and somebody has relied on these blobs. */
export type AskNeeded = Parameters<CollectionDriver['remove']>[1]
