import { LayerStoreError } from './base.ts'

/** Codes of {@link SourceError}. */
export type SourceErrorCode = 'ERR_SOURCE_NOT_FOUND' | 'ERR_SOURCE_CHANGED' | 'ERR_SOURCE_READ'

/** A directory, file or archive given as input that is missing, changed while it was read, or cannot be read. */
export class SourceError extends LayerStoreError {
  readonly code: SourceErrorCode
  /** The file or directory concerned. Bytes that are not UTF-8 are lone surrogates, as in tar headers. */
  readonly path: string

  /** @internal */
  constructor(code: SourceErrorCode, message: string, path: string, options?: ErrorOptions) {
    // SAFETY: a path may contain control characters for a terminal; JSON escapes them.
    super(`${message}: ${JSON.stringify(path.slice(0, 512))}`, options)
    this.code = code
    this.path = path
  }
}
