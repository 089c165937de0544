import type { Digest } from '../../digest/index.ts'

/** Sizes of content-defined chunks, in bytes. */
export interface ChunkSizes {
  /** Smallest chunk, but for the last one of a file. */
  readonly min: number
  /** Expected size: a power of 2. */
  readonly mean: number
  /** Largest chunk. */
  readonly max: number
}

/** Bytes that must be kept. */
export interface KeptBytes {
  /** Uncompressed bytes. */
  readonly bytes: number
  /** Bytes if each piece is compressed alone by gzip, level 6; absent if it was not measured. */
  readonly compressedBytes?: number
  /** Bytes of the index that puts the pieces together again; not in the other figures. */
  readonly indexBytes: number
}

/** One way to keep a set of images. */
export interface DedupLevel extends KeptBytes {
  /**
   * `image`: each image alone. `blob`: each layer blob once, as a store does. `file`: each file content once. `chunk`:
   * each content-defined chunk of the files once.
   */
  readonly level: 'image' | 'blob' | 'file' | 'chunk'
  /** Number of pieces that are kept. */
  readonly pieces: number
  /** Number of pieces that the images refer to. */
  readonly references: number
  /** Median size of a kept piece, uncompressed. */
  readonly medianBytes: number
  /** Size that 95 % of the kept pieces do not exceed, uncompressed. */
  readonly p95Bytes: number
  /** For each image, what it adds to the images before it: the cost of an update. */
  readonly added: readonly KeptBytes[]
}

/** Image of a report. */
export interface DedupedImage {
  /** Digest of the manifest. */
  readonly digest: Digest
  /** Number of layers. */
  readonly layers: number
  /** Bytes of the compressed layers. */
  readonly blobBytes: number
  /** Bytes of the uncompressed layers. */
  readonly tarBytes: number
  /** Bytes of the files in the layers. */
  readonly bytes: number
}

/** Comparison of ways to keep a set of images. Plain data. */
export interface DedupReport {
  /** Version of this shape. */
  readonly version: 1
  /** The images, in the order that was given. */
  readonly images: readonly DedupedImage[]
  /** Sizes of the chunks. */
  readonly chunks: ChunkSizes
  /** The ways: image, blob, file, chunk. */
  readonly levels: readonly DedupLevel[]
}
