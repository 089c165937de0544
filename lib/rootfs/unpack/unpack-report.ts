/** Metadata or an entry of the image that was not applied to the directory. */
export interface SkippedDetail {
  /** Path inside the root filesystem. Bytes that are not UTF-8 are lone surrogates, as in tar headers. */
  readonly path: string
  /**
   * The part that was not applied: `owner`, `mode` (set-id bits), `mtime`, `xattr`, the whole `device` or `fifo`; or
   * `duplicate` for an entry that a later entry of the same layer replaced.
   */
  readonly what: 'owner' | 'mode' | 'mtime' | 'xattr' | 'device' | 'fifo' | 'duplicate'
  /** Reason, as readable text. */
  readonly reason: string
}

/** Counts of written entries and bytes. */
export interface UnpackCounts {
  /** Number of files written, including those that a higher layer replaced. */
  readonly files: number
  /** Number of directories created, including implicit ones. */
  readonly directories: number
  /** Number of symbolic and hard links created. */
  readonly links: number
  /** Number of devices and FIFOs created. */
  readonly devices: number
  /** Bytes of file content written. */
  readonly bytes: number
}

/** The counts of a writer that has written nothing. */
export const NOTHING_WRITTEN: UnpackCounts = { files: 0, directories: 0, links: 0, devices: 0, bytes: 0 }

/** Result of an unpack. */
export interface UnpackReport extends UnpackCounts {
  /** Everything that was not applied. If it is empty, the directory matches the image exactly. */
  readonly skipped: readonly SkippedDetail[]
}

/** Progress of an unpack. */
export interface UnpackProgress extends UnpackCounts {
  /** Index of the layer that is being written, from 0 for the lowest. */
  readonly layer: number
  /** Number of layers. */
  readonly layers: number
}
