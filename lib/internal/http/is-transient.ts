import { isErrno } from '../errno.ts'

const TRANSIENT = [
  'ECONNRESET',
  'ECONNREFUSED',
  'ECONNABORTED',
  'EPIPE',
  'ETIMEDOUT',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENETDOWN',
  'ERR_STREAM_PREMATURE_CLOSE',
]

/** True for an error of a connection after which the same request may succeed later. */
export function isTransient(cause: unknown): boolean {
  return isErrno(cause, ...TRANSIENT)
}
