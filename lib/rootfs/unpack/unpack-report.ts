/** Something that an image asks for and the directory did not get. */
export interface SkippedDetail {
  /** Path inside the root filesystem. Bytes that are not UTF-8 are lone surrogates, as in tar headers. */
  readonly path: string
  /**
   * What was not applied: `owner`, `mode` (set-id bits), `mtime`, `xattr`, the whole `device` or `fifo`; or `duplicate`
   * for an entry that a later one of the same layer replaced.
   */
  readonly what: 'owner' | 'mode' | 'mtime' | 'xattr' | 'device' | 'fifo' | 'duplicate'
  /** Why, for people. */
  readonly reason: string
}

/** How much was written. */
export interface UnpackCounts {
  /** Files written, also those that a higher layer replaced again. */
  readonly files: number
  /** Directories made, those without an entry of their own included. */
  readonly directories: number
  /** Symbolic and hard links made. */
  readonly links: number
  /** Devices and FIFOs made. */
  readonly devices: number
  /** Bytes of file content written. */
  readonly bytes: number
}

/** The counts of a writer that has written nothing. */
export const NOTHING_WRITTEN: UnpackCounts = { files: 0, directories: 0, links: 0, devices: 0, bytes: 0 }

/** What an unpacking did, and what it could not do. */
export interface UnpackReport extends UnpackCounts {
  /** Everything that was left out. Empty means that the directory is exactly what the image says. */
  readonly skipped: readonly SkippedDetail[]
}

/** How far an unpacking is. */
export interface UnpackProgress extends UnpackCounts {
  /** Place of the layer that is being written, from 0 for the lowest. */
  readonly layer: number
  /** Number of layers. */
  readonly layers: number
}
