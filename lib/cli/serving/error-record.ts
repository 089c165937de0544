import { LayerStoreError } from '../../errors/index.ts'

/** Maximum depth of logged causes. */
const CAUSES = 5

/** An error as a log record. */
export interface ErrorRecord {
  readonly code?: string
  readonly message: string
  /** Stack trace, only of an error without a code. */
  readonly stack?: string
  readonly cause?: ErrorRecord
}

/** Converts an error and its causes to plain data. */
export function errorRecord(error: unknown, causes = CAUSES): ErrorRecord {
  if (!(error instanceof Error)) return { message: String(error) }
  const { code } = error as { code?: unknown }
  const isCoded = LayerStoreError.is(error) || typeof code === 'string'
  return {
    ...(typeof code === 'string' ? { code } : {}),
    // NODE: a connection that failed to several addresses throws an `AggregateError` without a message.
    message: error.message || error.name,
    ...(isCoded || error.name === 'Error' || error.stack === undefined ? {} : { stack: error.stack }),
    ...(error.cause !== undefined && causes > 0 ? { cause: errorRecord(error.cause, causes - 1) } : {}),
  }
}

/** Formats an error and its causes as one line. */
export function errorText({ code, message, cause }: ErrorRecord): string {
  const own = code === undefined || message.includes(code) ? message : `${message} (${code})`
  return (cause ? `${own}; because: ${errorText(cause)}` : own).replace(/\s*\n\s*/g, ' ')
}
