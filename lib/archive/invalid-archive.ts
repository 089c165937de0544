import { FormatError } from '../errors/index.ts'

/** An archive that holds no images, or whose images two readers would not understand alike. */
export function invalidArchive(message: string, at?: string, cause?: unknown): FormatError {
  return new FormatError('ERR_INVALID_LAYOUT', `not a usable image archive: ${message}`, { at, cause })
}
