import { FormatError } from '../../../errors/index.ts'

/** Creates the error of a fault inside a zstd frame. */
export function damaged(why: string): FormatError {
  return new FormatError('ERR_INVALID_COMPRESSION', `zstd stream is damaged: ${why}`)
}
