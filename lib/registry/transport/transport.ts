import type { IncomingHttpHeaders } from 'node:http'
import type { AddressScope } from '../addresses/address-scope.ts'

/** Bytes to send. `open` starts from the first byte each time, so that a request can be repeated. */
export interface RequestBody {
  readonly size: number
  open(): Iterable<Uint8Array> | AsyncIterable<Uint8Array>
}

/** What TLS connections to one origin are made with. The object stands for the settings: the same one, the same connections. */
export interface TlsSettings {
  /** Certificate authorities trusted besides the built-in and general ones, PEM. */
  readonly ca?: readonly string[] | undefined
  readonly cert?: string | undefined
  readonly key?: string | undefined
  readonly passphrase?: string | undefined
  /** Do not check the certificate. */
  readonly insecure?: boolean | undefined
}

/** One HTTP request, to one address. */
export interface WireRequest {
  readonly method: string
  readonly url: URL
  readonly headers: Readonly<Record<string, string>>
  readonly body?: RequestBody | undefined
  readonly signal?: AbortSignal | undefined
  readonly tls?: TlsSettings | undefined
  /** Which addresses the host's name may stand for. @defaultValue `anywhere` */
  readonly reach?: AddressScope | undefined
  /** Let a chunk of a long body be the reader's only until it asks for the next, or leaves. @defaultValue `false` */
  readonly borrow?: boolean | undefined
}

/** The answer to one request. Its body must be read to the end, or `cancel` called. */
export interface WireAnswer {
  readonly status: number
  readonly url: URL
  readonly headers: IncomingHttpHeaders
  /** The bytes as they came over the wire, never decoded. Leaving the loop early destroys the socket. */
  readonly body: AsyncIterable<Uint8Array>
  /** Ends the exchange at once. Does nothing after the body has been read. */
  cancel(): void
}

/** Exchanges single requests and answers: no redirects, no credentials, no repetition. */
export interface Transport {
  /**
   * @throws `RegistryError` `ERR_NETWORK` or `ERR_PROTOCOL`; the signal's reason; `SourceFailure` if the body could not
   * be read.
   */
  exchange(request: WireRequest): Promise<WireAnswer>
  /** Closes idle connections, and every other one as soon as its exchange has ended. */
  close(): void
}

/** How long to wait for what, in milliseconds. */
export interface Timeouts {
  /** For a connection, its TLS handshake included. @defaultValue `30_000` */
  readonly connectMs: number
  /** For the head of an answer. @defaultValue `60_000` */
  readonly answerMs: number
  /** For the head of the answer to an upload: registries hash and move the blob first. @defaultValue `300_000` */
  readonly uploadAnswerMs: number
  /** For the next byte of a body, in either direction. @defaultValue `60_000` */
  readonly idleMs: number
}

/** What could not be read while it was being sent: the fault of the sender, never of the registry. */
export class BodySourceError extends Error {
  constructor(cause: unknown) {
    super('the bytes to be sent could not be read', { cause })
  }
}
