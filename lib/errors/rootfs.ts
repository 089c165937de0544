import { LayerStoreError } from './base.ts'

/** The codes of {@link RootfsError}. */
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

/** What a {@link RootfsError} is about. */
export interface RootfsErrorDetails {
  /** Path inside the root filesystem, as it stands in the layer or as it was asked for. */
  readonly path: string
  /** Digest of the layer (its diffId where that is known) that says so. */
  readonly layer?: string | undefined
}

/** A root filesystem that cannot be what its layers say, a path in it that is not there, or a failure to write it out. */
export class RootfsError extends LayerStoreError {
  readonly code: RootfsErrorCode
  /** Path inside the root filesystem. Bytes that are not UTF-8 are lone surrogates, as in tar headers. */
  readonly path: string
  /** Digest of the layer that is at fault, where it is one. */
  readonly layer: string | undefined

  /** @internal */
  constructor(code: RootfsErrorCode, message: string, details: RootfsErrorDetails, options?: ErrorOptions) {
    const layer = details.layer ? ` in layer ${details.layer}` : ''
    // SAFETY: a path may hold anything, control characters for a terminal too; JSON escapes them.
    super(`${message}: ${JSON.stringify(details.path.slice(0, 512))}${layer}`, options)
    this.code = code
    this.path = details.path
    this.layer = details.layer
  }
}
