import type { Digest } from '../digest/index.ts'
import type { ScannedHeader } from '../tar/index.ts'

/** What an index says of one entry of a layer. */
export interface IndexedEntry extends ScannedHeader {
  /** Digest of the content, for files only, but for sparse files of which hardly anything is stored. */
  readonly digest?: Digest | undefined
  /** For those, the digest of the bytes that are stored: to compute that of all the zeros between them takes seconds for each GB. */
  readonly storedDigest?: Digest | undefined
}

/**
 * What a layer holds, without its content. Plain data. Whiteouts are entries like any other here: an index says what
 * stands in the archive, not what it means.
 */
export interface LayerIndex {
  /** Version of this shape. */
  readonly version: 1
  /** Digest of the uncompressed tar; it was proven in the pass that made the index. */
  readonly diffId: Digest
  /** Bytes of the uncompressed tar. */
  readonly bytes: number
  /** Every entry in the order of the archive. Of several entries of one path the last counts. */
  readonly entries: readonly IndexedEntry[]
  /** Paths that have more than one entry (which the spec forbids and some tools write), each once. */
  readonly duplicates: readonly string[]
}
