import {
  FormatError,
  type FormatErrorCode,
  LimitError,
  RootfsError,
  type RootfsErrorCode,
} from '../../../errors/index.ts'
import { MarksFirst } from '../entries/marks-first.ts'
import type { WriterFault } from './writer-messages.ts'

/** Converts an error to plain data. */
export function packFault(error: unknown): WriterFault {
  const known = error instanceof Error ? error : new Error(String(error))
  const { name, message, cause, stack: _, ...fields } = known as Error & { code?: string }
  return {
    name: known.constructor.name,
    code: fields.code,
    message,
    fields: Object.fromEntries(Object.entries(fields).filter(([, value]) => isPlain(value))),
    cause: cause === undefined ? undefined : packFault(cause),
  }
}

/** Restores an error with its original class. */
export function unpackFault(fault: WriterFault): Error {
  const error = build(fault, fault.cause ? { cause: unpackFault(fault.cause) } : {})
  // The other thread composed the message; the constructor must not compose it again.
  Object.defineProperty(error, 'message', { value: fault.message, writable: true, configurable: true })
  return error
}

function build(fault: WriterFault, options: ErrorOptions): Error {
  const { fields } = fault
  if (fault.name === MarksFirst.name) return new MarksFirst(options)
  if (fault.name === 'RootfsError') {
    const details = { path: String(fields.path), layer: fields.layer as string | undefined }
    return new RootfsError(fault.code as RootfsErrorCode, fault.message, details, options)
  }
  if (fault.name === 'LimitError') {
    const details = { limit: Number(fields.limit), actual: Number(fields.actual) }
    return new LimitError(String(fields.what), details, options)
  }
  if (fault.name === 'FormatError') return new FormatError(fault.code as FormatErrorCode, fault.message, options)
  return Object.assign(new Error(fault.message, options), fields)
}

function isPlain(value: unknown): boolean {
  return value === undefined || ['string', 'number', 'boolean'].includes(typeof value)
}
