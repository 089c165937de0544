import { HasherError, RegistryError } from '../../../errors/index.ts'
import type { SentError, SentFault } from './blob-messages.ts'

/** Members of system errors that callers read. */
const MEMBERS = ['code', 'errno', 'syscall', 'address', 'port', 'hostname'] as const

/** Converts an error of an exchange to plain data. Any other than a `RegistryError` is a fault of the thread. */
export function sendError(error: unknown): SentError {
  if (!(error instanceof RegistryError)) {
    return { message: messageOf(error), method: '', url: '', retryable: false, cause: sendFault(error) }
  }
  const { code, method, url, status, retryable, cause } = error
  const place = `: ${method} ${url}`
  const message = error.message.endsWith(place) ? error.message.slice(0, -place.length) : error.message
  return { code, message, method, url, status, retryable, cause: cause === undefined ? undefined : sendFault(cause) }
}

/** Restores an error of an exchange. */
export function receiveError({ code, message, method, url, status, retryable, cause }: SentError): Error {
  const options = cause ? { cause: receiveFault(cause) } : undefined
  if (code === undefined) return new HasherError(`a blob thread failed: ${message}`, options)
  return new RegistryError(code, message, { method, url, status, retryable }, options)
}

/** Converts a system error to plain data. */
export function sendFault(cause: unknown): SentFault {
  const members: Record<string, string | number> = {}
  for (const name of MEMBERS) {
    const value = (cause as Partial<Record<string, unknown>> | undefined)?.[name]
    if (typeof value === 'string' || typeof value === 'number') members[name] = value
  }
  return { message: messageOf(cause), members }
}

/** Restores a system error. */
export function receiveFault({ message, members }: SentFault): Error {
  return Object.assign(new Error(message), members)
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
