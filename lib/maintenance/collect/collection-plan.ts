import type { Digest } from '../../digest/index.ts'

/** What a collection may take. Without any of it, names stay and only what nothing reaches goes. */
export interface CollectionPolicy {
  /** Of each repository, keep the names of this many images, the most recently used ones; tags of one image count once. */
  readonly keepLast?: number | undefined
  /** Names of images and cache records that were not used for longer than this go. In milliseconds. */
  readonly maxAgeMs?: number | undefined
  /** Names of images and cache records go, least recently used first, until no more bytes than this stay. */
  readonly maxBytes?: number | undefined
  /** A blob younger than this stays: its name may be on the way. At least ten minutes without `force`. @defaultValue 1 hour */
  readonly graceMs?: number | undefined
  /**
   * What to do if a name leads to something whose children cannot be known (a name of an unknown media type, a broken or
   * missing manifest): refuse to collect anything, or keep it and go on. What only it needs goes then: nothing is read out
   * of what is not understood. @defaultValue `'refuse'`
   */
  readonly unknown?: 'refuse' | 'keep' | undefined
  /** Collect also if not one name is there, and with any `graceMs`. @defaultValue `false` */
  readonly force?: boolean | undefined
}

/** A policy with everything filled in. */
export interface ResolvedPolicy {
  /** Images to keep of each repository. */
  readonly keepLast?: number
  /** Age from which names go. */
  readonly maxAgeMs?: number
  /** Bytes that all images together may have. */
  readonly maxBytes?: number
  /** Age below which nothing goes. */
  readonly graceMs: number
  /** What to do about documents that cannot be understood. */
  readonly unknown: 'refuse' | 'keep'
  /** Whether to collect although not one name is there. */
  readonly force: boolean
}

/** A blob that stays, and the way on which it is reached: `tag app:1 → index → manifest → layer`. */
export interface KeptBlob {
  /** Digest of the blob. */
  readonly digest: Digest
  /** Size of the blob in bytes. */
  readonly size: number
  /** Why, for people. */
  readonly why: string
}

/** A blob that goes. */
export interface DroppedBlob extends KeptBlob {
  /** When it was last stored or acknowledged; if that changes before the run, it stays. */
  readonly modifiedMs: number
}

/** A number of blobs and their bytes. */
export interface BlobCount {
  /** Number of blobs. */
  readonly blobs: number
  /** Bytes of all of them. */
  readonly bytes: number
}

/** What a collection would do, and why. Plain JSON: it can be printed, stored, tested, and run later. */
export interface CollectionPlan {
  /** Which of these it is. */
  readonly kind: 'collection'
  /** Version of this format. */
  readonly version: 1
  /** The policy with everything filled in. */
  readonly policy: ResolvedPolicy
  /** Names that go by the policy. */
  readonly dropNames: readonly {
    /** The name. */
    readonly name: string
    /** Digest of the blob. */
    readonly digest: Digest
    /** Why, for people. */
    readonly why: string
  }[]
  /** Cache records that go by the policy. */
  readonly dropRecords: readonly {
    /** Names the record, relative to the cache. */
    readonly record: string
    /** When it was last used, in milliseconds since 1970. */
    readonly modifiedMs: number
    /** Why, for people. */
    readonly why: string
  }[]
  /** Blobs that go. */
  readonly drop: readonly DroppedBlob[]
  /** Blobs that stay. */
  readonly keep: readonly KeptBlob[]
  /** Blobs that should be there and are not, with the way that leads to them. */
  readonly missing: readonly {
    /** Digest of the blob. */
    readonly digest: Digest
    /** Why, for people. */
    readonly why: string
  }[]
  /** What was kept although its children cannot be known; empty unless the policy allows it. */
  readonly unknown: readonly {
    /** Digest of the blob. */
    readonly digest: Digest
    /** Why, for people. */
    readonly why: string
  }[]
  /** Bytes of the blobs that go. */
  readonly bytesFreed: number
  /** Bytes of the blobs that stay. */
  readonly bytesKept: number
  /** Of those that stay: only because they are young. */
  readonly skippedYoung: BlobCount
  /** Of those that stay: only because of a lease. */
  readonly skippedLeased: BlobCount
}

/** What a collection did. */
export interface CollectionResult {
  /** Names taken away. */
  readonly namesDropped: readonly string[]
  /** Cache records removed. */
  readonly recordsDropped: readonly string[]
  /** Blobs removed. */
  readonly deleted: readonly Digest[]
  /** Bytes of the blobs removed. */
  readonly bytesFreed: number
  /** Blobs of the plan that were left alone, and why. */
  readonly skipped: readonly {
    /** Digest of the blob. */
    readonly digest: Digest
    /** Why, for people. */
    readonly why: string
  }[]
  /** Blobs that could not be removed. */
  readonly errors: readonly {
    /** Digest of the blob. */
    readonly digest: Digest
    /** What went wrong, for people. */
    readonly message: string
  }[]
}
