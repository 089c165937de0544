import type { TarLimits } from '../../tar/index.ts'

/** Limits of a layer: of its tar, and of the decompression. */
export interface LayerLimits extends TarLimits {
  /**
   * Bytes of the tar that may come out, and of content in it. @defaultValue no limit for the one, 1 TiB for the other
   */
  readonly maxBytes?: number | undefined
  /**
   * Bytes of the tar for each byte of the blob, beyond the first 64 MiB; and bytes of holes for each byte of the tar,
   * beyond the first GiB. @defaultValue `1000`
   */
  readonly maxRatio?: number | undefined
}
