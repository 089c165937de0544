import { FormatError } from '../errors/index.ts'

/** Error for an archive that holds no images, or that two readers could understand differently. */
export function invalidArchive(message: string, at?: string, cause?: unknown): FormatError {
  return new FormatError('ERR_INVALID_LAYOUT', `not a usable image archive: ${message}`, { at, cause })
}
