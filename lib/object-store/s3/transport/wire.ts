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
