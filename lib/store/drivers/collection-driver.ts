import type { Digest } from '../../digest/index.ts'
import type { AbortOptions } from '../../internal/abort.ts'
import type { BlobInfo } from '../blob-store.ts'
import type { LeaseInfo } from '../leases/lease-store.ts'
import type { NamedDescriptor } from '../reference-store.ts'

/** A blob and the time when it was last stored or acknowledged. */
export interface StoredBlob extends BlobInfo {
  /** In milliseconds since 1970, by the clock of the process that stored or acknowledged it, or of the store. */
  readonly modifiedMs: number
  /** `false` if the store knows that the blob is neither a manifest nor an index: then nothing has to read it. */
  readonly isDocument?: boolean | undefined
}

/** A lease and the state of its holder. */
export interface LeaseState extends LeaseInfo {
  /** `true` if the holder is known to live, `false` if it is known to be dead, else `undefined`. */
  readonly holderLives: boolean | undefined
}

/** The blobs that one record of a build cache keeps; `lib/disk-store/README.md` describes the format. */
export interface CacheRecord {
  /** Path of the record, relative to the cache. */
  readonly record: string
  /** Digests of the blobs that it keeps. */
  readonly digests: readonly Digest[]
  /** Time of its last use, in milliseconds since 1970. */
  readonly modifiedMs: number
}

/** Image that a container keeps. */
export interface ContainerRoot {
  /** Identifier of the container. */
  readonly id: string
  /** Manifest of its image. */
  readonly digest: Digest
}

/** Roots that other processes may change during a collection. */
export interface LiveRoots {
  /** Every named entry; a duplicate name of another tool appears more than once. */
  readonly names: readonly NamedDescriptor[]
  /** Entries of the index without a name, unparsed. */
  readonly entries: readonly unknown[]
  /** Leases and the blobs that each protects. */
  readonly leases: readonly LeaseState[]
  /** Containers. @defaultValue none */
  readonly containers?: readonly ContainerRoot[] | undefined
}

/** All roots of the reachability walk. */
export interface CollectionRoots extends LiveRoots {
  /** Expected digests of running and resumable ingests. */
  readonly ingests: readonly Digest[]
  /** Cache records. */
  readonly records: readonly CacheRecord[]
}

/** Outcome for one blob that was to be removed. */
export interface RemovalOutcome {
  /** Digest of the blob. */
  readonly digest: Digest
  /** `changed`: stored or acknowledged meanwhile; `needed`: reached meanwhile; `gone`: removed by another process. */
  readonly outcome: 'removed' | 'changed' | 'needed' | 'gone' | 'failed'
  /** The system's error, for `failed`. */
  readonly error?: unknown
}

/** Space used by unfinished ingests. */
export interface UnfinishedUsage {
  /** Number of ingests. */
  readonly count: number
  /** Their total size in bytes. */
  readonly bytes: number
}

/** Operations that a driver provides to collections. To be called by `planCollection` and `runCollection` only. */
export interface CollectionDriver {
  /** Whether the store is read-only. */
  readonly readOnly: boolean

  /**
   * The clock of the times in this interface, in milliseconds since 1970; absent if it is that of this machine. A store
   * that many machines share has a clock of its own.
   */
  nowMs?(): number

  /** Lists every blob once, in no order, in batches of a size that the driver chooses. */
  blobs(options?: AbortOptions): AsyncIterable<readonly StoredBlob[]>

  /**
   * Reads all roots.
   *
   * @throws {@link StoreError} `ERR_STORE_FORMAT` if a part of them is damaged: the blobs that it kept are then
   * unknown.
   */
  roots(options?: AbortOptions): Promise<CollectionRoots>

  /**
   * Reads the unverified bytes of a blob. Resolves to an empty array if the blob is over 4 MiB or does not begin like a
   * JSON object, and to `undefined` if it does not exist.
   */
  document(digest: Digest): Promise<Uint8Array | undefined>

  /**
   * Runs `act` while no other collection runs, in any process. First restores the blobs that a killed collection left
   * half removed.
   */
  alone<T>(act: () => Promise<T>, options?: AbortOptions): Promise<T>

  /** Removes names, each only if it still refers to the digest; resolves to the names removed. */
  forgetNames(names: readonly { name: string; digest: Digest }[], options?: AbortOptions): Promise<readonly string[]>

  /** Removes cache records, each only if it was not used meanwhile; resolves to the records removed. */
  forgetRecords(records: readonly { record: string; modifiedMs: number }[]): Promise<readonly string[]>

  /** Removes expired leases. */
  forgetLeases(ids: readonly string[]): Promise<void>

  /**
   * Removes those of the blobs that are unchanged (same `modifiedMs`) and not needed. The driver calls `needed` while
   * no name can be set, with the current roots and the blobs that have changed, and possibly again before the final
   * removal. Parents come before the blobs that they refer to, and must be gone before those are removed; of
   * `independent` blobs none refers to another one, so they can be removed at the same time.
   */
  remove(
    blobs: readonly StoredBlob[],
    needed: (roots: LiveRoots, touched: readonly StoredBlob[]) => Promise<(blob: StoredBlob) => boolean>,
    options?: AbortOptions & { readonly independent?: boolean | undefined },
  ): Promise<readonly RemovalOutcome[]>

  /** Number and size of unfinished ingests. */
  unfinished(): Promise<UnfinishedUsage>
}

/** Resolves to a predicate for needed blobs, given the current roots and the blobs touched meanwhile. */
export type AskNeeded = Parameters<CollectionDriver['remove']>[1]
