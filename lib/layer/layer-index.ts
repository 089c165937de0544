import type { Digest } from '../digest/index.ts'
import type { ScannedHeader } from '../tar/index.ts'

/** Index record of one entry of a layer. */
export interface IndexedEntry extends ScannedHeader {
  /** Digest of the content, for files only; absent for sparse files whose content is nearly all holes. */
  readonly digest?: Digest | undefined
  /** Digest of the stored bytes of such a sparse file. Hashing the zeros of its holes would take seconds per GB. */
  readonly storedDigest?: Digest | undefined
}

/**
 * Entries of a layer without content. Plain data. The index lists whiteouts as ordinary entries: it describes the
 * archive without interpreting it.
 */
export interface LayerIndex {
  /** Version of this format. */
  readonly version: 1
  /** Digest of the uncompressed tar, verified in the pass that made the index. */
  readonly diffId: Digest
  /** Size of the uncompressed tar in bytes. */
  readonly bytes: number
  /** All entries in archive order. Of several entries with one path the last one applies. */
  readonly entries: readonly IndexedEntry[]
  /** Paths with more than one entry, each listed once. The spec forbids duplicates, but such layers exist. */
  readonly duplicates: readonly string[]
}
