import { LayerStoreError } from './base.ts'

/** Codes of {@link SandboxError}. */
export type SandboxErrorCode =
  | 'ERR_SANDBOX_DIRECTORY'
  | 'ERR_CONTAINER_EXISTS'
  | 'ERR_CONTAINER_NOT_FOUND'
  | 'ERR_CONTAINER_RUNNING'
  | 'ERR_SANDBOX_LIMIT'
  | 'ERR_SANDBOX_MOUNT'
  | 'ERR_SANDBOX_NO_EXECUTOR'
  | 'ERR_SANDBOX_ONE_ID'
  | 'ERR_SANDBOX_PROGRAM'
  | 'ERR_SANDBOX_START'

/** A process that could not be run in a root filesystem. */
export class SandboxError extends LayerStoreError {
  readonly code: SandboxErrorCode

  /** @internal */
  constructor(code: SandboxErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}
