import type { IncomingHttpHeaders } from 'node:http'
import type { FileLender, TakenBytes } from '../../digest/index.ts'
import type { AddressScope } from '../addresses/address-scope.ts'

/** Bytes to send. Each `open` starts from the first byte, so that a request can be repeated. */
export interface RequestBody {
  readonly size: number
  open(): Iterable<Uint8Array> | AsyncIterable<Uint8Array>
  /** Opens the bytes for a thread: chunks may be `LentBytes`. Absent: the bytes are in no file, or too few. */
  openLent?: (() => AsyncIterable<Uint8Array>) | undefined
  /** The memory of a chunk is used again once the next one is asked for. @defaultValue `false` */
  readonly reusesMemory?: boolean | undefined
}

/** TLS settings of one origin. Requests share connections only if they pass the same object. */
export interface TlsSettings {
  /** Certificate authorities trusted besides the built-in and general ones, PEM. */
  readonly ca?: readonly string[] | undefined
  readonly cert?: string | undefined
  readonly key?: string | undefined
  readonly passphrase?: string | undefined
  /** Do not verify the certificate. */
  readonly insecure?: boolean | undefined
}

/** One HTTP request to one URL. */
export interface WireRequest {
  readonly method: string
  readonly url: URL
  readonly headers: Readonly<Record<string, string>>
  readonly body?: RequestBody | undefined
  readonly signal?: AbortSignal | undefined
  readonly tls?: TlsSettings | undefined
  /** Addresses that the host's name may resolve to. @defaultValue `anywhere` */
  readonly reach?: AddressScope | undefined
  /**
   * Let the transport reuse the memory of chunks of a long body: a chunk is valid until the reader asks for the next
   * one or leaves the loop. @defaultValue `false`
   */
  readonly borrow?: boolean | undefined
  /** Owner of a file for the body. If it can lend the file, the answer may have `appendTo`. */
  readonly lender?: FileLender | undefined
}

/** Answer to one request. Read its body to the end, or call `cancel`. */
export interface WireAnswer {
  readonly status: number
  readonly url: URL
  readonly headers: IncomingHttpHeaders
  /** The bytes as received, never decoded. Leaving the loop early destroys the socket. */
  readonly body: AsyncIterable<Uint8Array>
  /**
   * Appends the body to a file in another thread, instead of `body`. Yields chunks that only count the bytes.
   *
   * @throws {@link LenderFault} if the owner of the file takes no more bytes.
   */
  appendTo?(lender: FileLender): AsyncIterable<TakenBytes>
  /** Ends the exchange at once. After the body has been read it does nothing. */
  cancel(): void
}

/** Sends single requests, without redirects, credentials or retries. */
export interface Transport {
  /**
   * @throws `RegistryError` `ERR_NETWORK` or `ERR_PROTOCOL`; the signal's reason; `BodySourceError` if the body could
   * not be read.
   */
  exchange(request: WireRequest): Promise<WireAnswer>
  /** Closes idle connections now, and each busy one when its exchange ends. */
  close(): void
}

/** Time limits in milliseconds. */
export interface Timeouts {
  /** For a connection, including its TLS handshake. @defaultValue `30_000` */
  readonly connectMs: number
  /** For the head of an answer. @defaultValue `60_000` */
  readonly answerMs: number
  /**
   * For the head of the answer to an upload, before which the registry hashes and moves the blob. @defaultValue
   * `300_000`
   */
  readonly uploadAnswerMs: number
  /** For the next byte of a body, in either direction. @defaultValue `60_000` */
  readonly idleMs: number
}
