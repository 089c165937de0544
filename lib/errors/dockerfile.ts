import { LayerStoreError } from './base.ts'

/** Codes of {@link DockerfileError}. */
export type DockerfileErrorCode =
  | 'ERR_DOCKERFILE_SYNTAX'
  | 'ERR_DOCKERFILE_EXPANSION'
  | 'ERR_DOCKERFILE_STAGE'
  | 'ERR_DOCKERFILE_UNSUPPORTED'
  | 'ERR_DOCKERFILE_CHECK'

/** Place and explanation of a {@link DockerfileError}. */
export interface DockerfileErrorDetails {
  /** Name of the file. */
  readonly file: string
  /** First line of the fault, from 1. */
  readonly line?: number | undefined
  /** Column of the fault, from 1. */
  readonly column?: number | undefined
  /** Last line of the instruction at fault. */
  readonly endLine?: number | undefined
  /** The lines round the fault, with line numbers and a mark. */
  readonly frame?: string | undefined
  /** Advice, such as `did you mean FROM?`. */
  readonly hint?: string | undefined
}

/** A Dockerfile that cannot be read, evaluated or built, with the place of the fault. */
export class DockerfileError extends LayerStoreError {
  readonly code: DockerfileErrorCode
  /** Name of the file. */
  readonly file: string
  /** First line of the fault, from 1; `undefined` if the file as a whole is at fault. */
  readonly line: number | undefined
  /** Column of the fault, from 1. */
  readonly column: number | undefined
  /** Last line of the instruction at fault. */
  readonly endLine: number | undefined
  /** The lines round the fault, with line numbers and a mark; several lines of text. */
  readonly frame: string | undefined
  /** Advice, such as `did you mean FROM?`. */
  readonly hint: string | undefined

  /** @internal */
  constructor(code: DockerfileErrorCode, message: string, details: DockerfileErrorDetails, options?: ErrorOptions) {
    const { file, line, column, endLine, frame, hint } = details
    const place = [file, line, column].filter(part => part !== undefined).join(':')
    super(`${message} at ${place}${hint === undefined ? '' : ` (${hint})`}`, options)
    this.code = code
    this.file = file
    this.line = line
    this.column = column
    this.endLine = endLine
    this.frame = frame
    this.hint = hint
  }
}
