import { FormatError } from '../../errors/index.ts'
import type { ReadBlobOptions } from '../blob-store.ts'

/** Byte range of a read, clipped to the blob. */
export interface ReadRange {
  /** Offset of the first byte. */
  readonly start: number
  /** Offset after the last byte. */
  readonly end: number
  /** Whether the range is the whole blob and can be verified. */
  readonly whole: boolean
}

/**
 * Validates the offset and the length of a read, before the blob is opened.
 *
 * @throws {@link FormatError} `ERR_INVALID_ARGUMENT`.
 */
export function checkRange(options: ReadBlobOptions): void {
  for (const [name, value] of [
    ['offset', options.offset],
    ['length', options.length],
  ] as const) {
    if (value !== undefined && !(Number.isSafeInteger(value) && value >= 0)) {
      throw new FormatError('ERR_INVALID_ARGUMENT', `${name} of a read must be a whole number of bytes, is ${value}`)
    }
  }
}

/** The range that the options select in a blob of this size. */
export function rangeOf(options: ReadBlobOptions, size: number): ReadRange {
  const start = Math.min(options.offset ?? 0, size)
  const end = Math.min(size, start + (options.length ?? size))
  return { start, end, whole: start === 0 && end === size }
}
