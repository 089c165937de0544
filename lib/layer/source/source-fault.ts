import { FormatError, SourceError, type SourceErrorCode } from '../../errors/index.ts'

/** Why a scan ended early: plain data, because threads keep neither classes nor codes of errors. */
export interface SourceFault {
  readonly code: SourceErrorCode | 'ERR_INVALID_ARGUMENT'
  readonly message: string
  /** The file or directory at fault. */
  readonly path: string
  /** What the system said. */
  readonly cause?: { readonly message: string; readonly fields: Readonly<Record<string, unknown>> } | undefined
}

/**
 * A failure of a scan inside the thread that scans.
 *
 * @internal
 */
export class SourceReadFailure extends Error {
  readonly fault: SourceFault

  constructor(code: SourceFault['code'], message: string, path: string, cause?: unknown) {
    super(message)
    this.fault = { code, message, path, ...(cause instanceof Error ? { cause: packCause(cause) } : {}) }
  }
}

/**
 * The error that a caller gets.
 *
 * @internal
 */
export function sourceError({ code, message, path, cause }: SourceFault): Error {
  const options = cause ? { cause: Object.assign(new Error(cause.message), cause.fields) } : {}
  if (code === 'ERR_INVALID_ARGUMENT') return new FormatError(code, `${message}: ${JSON.stringify(path)}`, options)
  return new SourceError(code, message, path, options)
}

function packCause(error: Error): SourceFault['cause'] {
  const { code, errno, syscall, path } = error as NodeJS.ErrnoException
  return { message: error.message, fields: { code, errno, syscall, path } }
}
