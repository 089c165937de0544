import type { TarLimits } from '../../tar/index.ts'

/** Limits of a layer: of its tar, and of the decompression. */
export interface LayerLimits extends TarLimits {
  /**
   * Maximum size of the tar, and of the content in it, in bytes. @defaultValue no limit for the tar, 1 TiB for the
   * content
   */
  readonly maxBytes?: number | undefined
  /**
   * Maximum number of bytes of the tar per byte of the blob, beyond the first 64 MiB, and of bytes of holes per byte of
   * the tar, beyond the first GiB. @defaultValue `1000`
   */
  readonly maxRatio?: number | undefined
}
