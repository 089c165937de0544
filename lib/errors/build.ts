import { LayerStoreError } from './base.ts'

/** Codes of {@link BuildError}. */
export type BuildErrorCode =
  | 'ERR_BUILD_CYCLE'
  | 'ERR_BUILD_FETCH'
  | 'ERR_BUILD_LIMIT'
  | 'ERR_BUILD_LOCK'
  | 'ERR_BUILD_NO_EXECUTOR'
  | 'ERR_BUILD_RUN'
  | 'ERR_BUILD_STEP'
  | 'ERR_BUILD_SOURCE_NOT_FOUND'
  | 'ERR_BUILD_COPY_CONFLICT'
  | 'ERR_BUILD_INVALID_STEP'
  | 'ERR_BUILD_UNKNOWN_ACCOUNT'
  | 'ERR_BUILD_UNSUPPORTED'

/** Place of a failed step. */
export interface BuildErrorDetails {
  /** Path that the step names or reads, if there is one. */
  readonly path?: string | undefined
  /** The step as written. */
  readonly step?: string | undefined
  /** Position of the step: `file:line:column`. */
  readonly at?: string | undefined
  /** Lines of the Dockerfile round the step, with a mark. */
  readonly frame?: string | undefined
  /** End of the command of the step. */
  readonly command?: FailedCommand | undefined
}

/** End of a command that failed. */
export interface FailedCommand {
  /** Exit code; 128 + n if signal n killed it. */
  readonly exitCode: number
  /** Name of the signal, if the exit code is that of one. */
  readonly signal?: string | undefined
  /** Limit that the command reached. */
  readonly limit?: 'memory' | 'processes' | 'seconds' | undefined
  /** Last lines of its output, without secrets of the build. */
  readonly output: readonly string[]
}

/** A step of a build that cannot be carried out as it is written. */
export class BuildError extends LayerStoreError {
  readonly code: BuildErrorCode
  /** Path that the step names or reads. Bytes that are not UTF-8 are lone surrogates, as in tar headers. */
  readonly path: string | undefined
  /** The step as written. */
  readonly step: string | undefined
  /** Position of the step: `file:line:column`. */
  readonly at: string | undefined
  /** Lines of the Dockerfile round the step, with a mark; `undefined` for steps of code. */
  readonly frame: string | undefined
  /** End of the command of the step; `undefined` if it was not a command that failed. */
  readonly command: FailedCommand | undefined

  /** @internal */
  constructor(code: BuildErrorCode, message: string, details: BuildErrorDetails = {}, options?: ErrorOptions) {
    super(details.at === undefined ? message : `${message} (${details.at})`, options)
    this.code = code
    this.path = details.path
    this.step = details.step
    this.at = details.at
    this.frame = details.frame
    this.command = details.command
  }
}
