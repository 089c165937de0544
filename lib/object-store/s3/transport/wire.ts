import type { IncomingHttpHeaders } from 'node:http'
import type { ObjectBody } from '../bucket.ts'

/** Time limits in milliseconds. */
export interface BucketTimeouts {
  /** For a connection, including its TLS handshake. @defaultValue `10_000` */
  readonly connectMs: number
  /**
   * For the head of an answer, after the request is sent. Completing an upload of thousands of parts takes minutes.
   * @defaultValue `60_000`
   */
  readonly answerMs: number
  /** For the next byte of a body, in either direction. @defaultValue `30_000` */
  readonly idleMs: number
}

/** One HTTP request. The path and the query are as they are sent. */
export interface HttpRequest {
  readonly method: string
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body?: ObjectBody | undefined
  readonly signal?: AbortSignal | undefined
  /** Replaces the limit for the head of the answer. */
  readonly answerMs?: number | undefined
}

/** Answer to one request. Read the body to its end, or leave its loop. */
export interface HttpAnswer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: AsyncIterable<Uint8Array>
}

/** Reports that the source of a request body failed; the service is not the cause. */
export class ObjectSourceError extends Error {
  constructor(cause: unknown) {
    super('the bytes to be sent could not be read', { cause })
  }
}

/** Builds the error of an expired timer, with the code of the system's own `ETIMEDOUT`. */
export function expiredError(what: string, ms: number): NodeJS.ErrnoException {
  const phase = what === 'connection' ? { syscall: 'connect' } : {}
  return Object.assign(new Error(`no ${what} within ${ms} ms`), { code: 'ETIMEDOUT', ...phase })
}
