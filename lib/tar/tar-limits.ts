import { MAX_PATH_BYTES } from './normalize-path.ts'
import { MAX_PAX_BYTES } from './write/pax-block.ts'

/** What an archive may hold at most. Crossing a limit ends the reading with `ERR_LIMIT_EXCEEDED`. */
export interface TarLimits {
  /** Bytes of content of all entries together, holes of sparse files included. @defaultValue 1 TiB */
  readonly maxBytes?: number | undefined
  /** Entries. @defaultValue `4_000_000` */
  readonly maxEntries?: number | undefined
  /** Bytes of the path of an entry, and of the target of a link. @defaultValue `4096` */
  readonly maxPathBytes?: number | undefined
  /** Bytes of the extended headers (PAX records, GNU long names) of one entry. @defaultValue 1 MiB */
  readonly maxHeaderBytes?: number | undefined
  /** Bytes of holes in sparse files for each byte of the archive, once the holes have more than 1 GiB. @defaultValue `1000` */
  readonly maxRatio?: number | undefined
}

/** Limits with nothing left open. */
export type CompleteTarLimits = { readonly [K in keyof TarLimits]-?: number }

/** Holes up to this many bytes are never too many for their archive. */
export const RATIO_FREE_BYTES: number = 2 ** 30

/** The limits that hold where none is given: far above what images have, far below what a machine could not bear. */
export function completeLimits(limits: TarLimits = {}): CompleteTarLimits {
  return {
    maxBytes: limits.maxBytes ?? 2 ** 40,
    maxEntries: limits.maxEntries ?? 4_000_000,
    maxPathBytes: limits.maxPathBytes ?? MAX_PATH_BYTES,
    maxHeaderBytes: limits.maxHeaderBytes ?? MAX_PAX_BYTES,
    maxRatio: limits.maxRatio ?? 1000,
  }
}
