import { FormatError } from '../../errors/index.ts'
import type { ReadBlobOptions } from '../blob-store.ts'

/** The part of a blob to read, inside the blob. */
export interface ReadRange {
  readonly start: number
  readonly end: number
  /** Whether it is the whole blob, so that it can be verified. */
  readonly whole: boolean
}

/** Checks the numbers of a read before anything is opened. */
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

/** What the options ask for in a blob of this size. */
export function rangeOf(options: ReadBlobOptions, size: number): ReadRange {
  const start = Math.min(options.offset ?? 0, size)
  const end = Math.min(size, start + (options.length ?? size))
  return { start, end, whole: start === 0 && end === size }
}
