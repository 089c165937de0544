import { LayerStoreError } from './base.ts'

/** Codes of {@link RootfsError}. */
export type RootfsErrorCode =
  | 'ERR_INVALID_LINK'
  | 'ERR_INVALID_WHITEOUT'
  | 'ERR_NOT_A_DIRECTORY'
  | 'ERR_NOT_A_FILE'
  | 'ERR_PATH_NOT_FOUND'
  | 'ERR_TARGET_NOT_EMPTY'
  | 'ERR_TOO_MANY_LINKS'
  | 'ERR_UNPACK'
  | 'ERR_UNSAFE_PATH'
  | 'ERR_UNSUPPORTED_ENTRY'

/** Details of a {@link RootfsError}. */
export interface RootfsErrorDetails {
  /** Path inside the root filesystem, as written in the layer or as requested. */
  readonly path: string
  /** Digest of the layer concerned (its diffId if known). */
  readonly layer?: string | undefined
}

/** A contradiction in the layers of a root filesystem, a missing path in it, or a failure to write it. */
export class RootfsError extends LayerStoreError {
  readonly code: RootfsErrorCode
  /** Path inside the root filesystem. Bytes that are not UTF-8 are lone surrogates, as in tar headers. */
  readonly path: string
  /** Digest of the layer concerned, if the fault is in a layer. */
  readonly layer: string | undefined

  /** @internal */
  constructor(code: RootfsErrorCode, message: string, details: RootfsErrorDetails, options?: ErrorOptions) {
    const layer = details.layer ? ` in layer ${details.layer}` : ''
    // SAFETY: a path may contain control characters for a terminal; JSON escapes them.
    super(`${message}: ${JSON.stringify(details.path.slice(0, 512))}${layer}`, options)
    this.code = code
    this.path = details.path
    this.layer = details.layer
  }
}
