import type { Digest } from '../../digest/index.ts'

/** An update from one release to the next. */
export interface ReleaseUpdate {
  /** Digest of the older manifest. */
  readonly from: Digest
  /** Digest of the newer manifest. */
  readonly to: Digest
  /** Compressed bytes of the layers that the newer release has and the older lacks: what a pull moves now. */
  readonly blobBytes: number
  /** Bytes of the files that are new or changed. */
  readonly changedBytes: number
  /** Number of these files. */
  readonly changedFiles: number
  /** Estimated compressed bytes that a pull would move with the proposed layers. */
  readonly proposedBytes: number
}

/** A place of a proposed layer: a directory of which every file belongs to it, or a single file. */
export interface SplitPlace {
  /** The path, without a leading `/`. */
  readonly path: string
  /** Bytes of the files. */
  readonly bytes: number
  /** Number of files. */
  readonly files: number
}

/** A proposed layer: files that change in the same updates. */
export interface SplitLayer {
  /** Bytes of the files. */
  readonly bytes: number
  /** Number of files. */
  readonly files: number
  /** Number of updates in which at least one of the files changed. */
  readonly changedIn: number
  /** Places of the files, most bytes first. */
  readonly places: readonly SplitPlace[]
}

/** Advice how to split an image into layers so that updates cost less. Plain data. */
export interface SplitAdvice {
  /** Version of this shape. */
  readonly version: 1
  /** Manifests of the releases, oldest first. */
  readonly releases: readonly Digest[]
  /** Layers that every release has: they cost nothing and stay as they are. */
  readonly shared: {
    /** Number of these layers. */
    readonly layers: number
    /** Their compressed bytes. */
    readonly blobBytes: number
  }
  /** The updates, oldest first. */
  readonly updates: readonly ReleaseUpdate[]
  /** Proposed layers above the shared ones, the most stable one first: the order to build them in. */
  readonly layers: readonly SplitLayer[]
  /**
   * Files whose time alone changed, summed over all updates. They are sent again for nothing: a fixed time
   * (`SOURCE_DATE_EPOCH`) avoids it.
   */
  readonly onlyTimes: {
    /** Number of files. */
    readonly files: number
    /** Bytes of the files. */
    readonly bytes: number
  }
  /** Compressed bytes that one update would cost less, on average, by estimate. */
  readonly savedPerUpdate: number
}
