import { FormatError, SourceError, type SourceErrorCode } from '../../errors/index.ts'

/** Failure of a scan. Plain data, because structured cloning keeps neither classes nor codes of errors. */
export interface SourceFault {
  readonly code: SourceErrorCode | 'ERR_INVALID_ARGUMENT'
  readonly message: string
  /** Path of the failure. */
  readonly path: string
  /** Error of the system. */
  readonly cause?: { readonly message: string; readonly fields: Readonly<Record<string, unknown>> } | undefined
}

/**
 * A failure inside the thread that scans.
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
 * Converts a failure to the error for the caller.
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
