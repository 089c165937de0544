import { MAX_PATH_BYTES } from './normalize-path.ts'
import { MAX_PAX_BYTES } from './write/pax-block.ts'

/** Limits for reading an archive. Exceeding a limit ends the read with `ERR_LIMIT_EXCEEDED`. */
export interface TarLimits {
  /** Total content of all entries in bytes, holes of sparse files included. @defaultValue 1 TiB */
  readonly maxBytes?: number | undefined
  /** Number of entries. @defaultValue `4_000_000` */
  readonly maxEntries?: number | undefined
  /** Length of an entry's path and of a link target, in bytes. @defaultValue `4096` */
  readonly maxPathBytes?: number | undefined
  /** Size of the extended headers (PAX records, GNU long names) of one entry, in bytes. @defaultValue 1 MiB */
  readonly maxHeaderBytes?: number | undefined
  /** Hole bytes of sparse files for each byte of the archive, once the holes exceed 1 GiB. @defaultValue `1000` */
  readonly maxRatio?: number | undefined
}

/** Limits with every member set. */
export type CompleteTarLimits = { readonly [K in keyof TarLimits]-?: number }

/** Number of hole bytes to which `maxRatio` does not apply. */
export const RATIO_FREE_BYTES: number = 2 ** 30

/** Adds the defaults. They are far above the size of real images, and low enough to protect a machine. */
export function completeLimits(limits: TarLimits = {}): CompleteTarLimits {
  return {
    maxBytes: limits.maxBytes ?? 2 ** 40,
    maxEntries: limits.maxEntries ?? 4_000_000,
    maxPathBytes: limits.maxPathBytes ?? MAX_PATH_BYTES,
    maxHeaderBytes: limits.maxHeaderBytes ?? MAX_PAX_BYTES,
    maxRatio: limits.maxRatio ?? 1000,
  }
}
