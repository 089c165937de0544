import type { Digest } from '../../digest/index.ts'

/** Retention policy of a collection. Without limits all names stay, and only unreachable blobs are removed. */
export interface CollectionPolicy {
  /** Number of images to keep per repository, most recently used first; several tags of one image count once. */
  readonly keepLast?: number | undefined
  /** Maximum age in milliseconds: images and cache records that were not used for longer are dropped. */
  readonly maxAgeMs?: number | undefined
  /** Size limit in bytes: images and cache records are dropped, least recently used first, until the rest fits. */
  readonly maxBytes?: number | undefined
  /**
   * Grace period in milliseconds: younger blobs stay, because an operation may be about to name them. At least ten
   * minutes without `force`. @defaultValue 1 hour
   */
  readonly graceMs?: number | undefined
  /**
   * Handling of a name whose target has unknown children (an unknown media type, a broken or missing manifest):
   *
   * - `refuse`: collect nothing.
   * - `keep`: keep the target and continue. Blobs that only it needs are removed, because its references are
   *   unreadable.
   *
   * @defaultValue `'refuse'`
   */
  readonly unknown?: 'refuse' | 'keep' | undefined
  /** Collect even if the store has no names, and accept any `graceMs`. @defaultValue `false` */
  readonly force?: boolean | undefined
}

/** A policy with all defaults filled in. */
export interface ResolvedPolicy {
  /** Number of images to keep per repository. */
  readonly keepLast?: number
  /** Age in milliseconds above which names are dropped. */
  readonly maxAgeMs?: number
  /** Size limit of all images together, in bytes. */
  readonly maxBytes?: number
  /** Grace period in milliseconds. */
  readonly graceMs: number
  /** Handling of documents that cannot be parsed. */
  readonly unknown: 'refuse' | 'keep'
  /** Whether to collect even if the store has no names. */
  readonly force: boolean
}

/** A blob that stays, with the path of references to it: `tag app:1 → index → manifest → layer`. */
export interface KeptBlob {
  /** Digest of the blob. */
  readonly digest: Digest
  /** Size of the blob in bytes. */
  readonly size: number
  /** Human-readable reason. */
  readonly why: string
}

/** A blob to remove. */
export interface DroppedBlob extends KeptBlob {
  /** Time when it was last stored or acknowledged; if that changes before the run, the blob stays. */
  readonly modifiedMs: number
}

/** Number and total size of some blobs. */
export interface BlobCount {
  /** Number of blobs. */
  readonly blobs: number
  /** Their total size in bytes. */
  readonly bytes: number
}

/** Plan of a collection, with reasons. Plain JSON: it can be printed, stored, tested, and run later. */
export interface CollectionPlan {
  /** Discriminant. */
  readonly kind: 'collection'
  /** Version of the format. */
  readonly version: 1
  /** The policy with all defaults filled in. */
  readonly policy: ResolvedPolicy
  /** Names that the policy drops. */
  readonly dropNames: readonly {
    /** The name. */
    readonly name: string
    /** Digest of the blob. */
    readonly digest: Digest
    /** Human-readable reason. */
    readonly why: string
  }[]
  /** Cache records that the policy drops. */
  readonly dropRecords: readonly {
    /** Path of the record, relative to the cache. */
    readonly record: string
    /** Time of its last use, in milliseconds since 1970. */
    readonly modifiedMs: number
    /** Human-readable reason. */
    readonly why: string
  }[]
  /** Blobs to remove. */
  readonly drop: readonly DroppedBlob[]
  /** Blobs that stay. */
  readonly keep: readonly KeptBlob[]
  /** Required blobs that do not exist, with the path of references to each. */
  readonly missing: readonly {
    /** Digest of the blob. */
    readonly digest: Digest
    /** Human-readable reason. */
    readonly why: string
  }[]
  /** Documents kept although their children are unknown; empty unless the policy allows it. */
  readonly unknown: readonly {
    /** Digest of the blob. */
    readonly digest: Digest
    /** Human-readable reason. */
    readonly why: string
  }[]
  /** Total size of the blobs to remove, in bytes. */
  readonly bytesFreed: number
  /** Total size of the blobs that stay, in bytes. */
  readonly bytesKept: number
  /** Blobs that stay only because of the grace period. */
  readonly skippedYoung: BlobCount
  /** Blobs that stay only because of a lease. */
  readonly skippedLeased: BlobCount
  /** The leases that keep blobs: the purpose and the holder of each. */
  readonly leases: readonly {
    /** Purpose of the lease. */
    readonly label: string
    /** Human-readable name of the holder. */
    readonly holder: string
  }[]
}

/** Result of a collection. */
export interface CollectionResult {
  /** Names dropped. */
  readonly namesDropped: readonly string[]
  /** Cache records removed. */
  readonly recordsDropped: readonly string[]
  /** Blobs removed. */
  readonly deleted: readonly Digest[]
  /** Total size of the blobs removed, in bytes. */
  readonly bytesFreed: number
  /** Blobs of the plan that were kept, with the reason. */
  readonly skipped: readonly {
    /** Digest of the blob. */
    readonly digest: Digest
    /** Human-readable reason. */
    readonly why: string
  }[]
  /** Blobs that could not be removed. */
  readonly errors: readonly {
    /** Digest of the blob. */
    readonly digest: Digest
    /** Human-readable error message. */
    readonly message: string
  }[]
}
