import type { IncomingHttpHeaders } from 'node:http'
import type { Digest, LentFile, LentProgress, LentSource, ReturnedFile } from '../../../digest/index.ts'
import type { RegistryErrorCode } from '../../../errors/index.ts'
import type { AddressScope } from '../../addresses/address-scope.ts'
import type { Timeouts, TlsSettings } from '../transport.ts'

/** Settings of a client's connections. */
export interface ClientSettings {
  readonly timeouts: Timeouts
  readonly ca?: readonly string[] | undefined
}

/** One request, with its final address and headers. */
export interface ThreadRequest {
  readonly method: string
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly tls?: TlsSettings | undefined
  readonly reach?: AddressScope | undefined
  /** Number of bytes of the body, whose pieces follow; absent if there is none. */
  readonly bodyBytes?: number | undefined
}

/** Message of the calling thread. */
export type BlobQuestion =
  | { readonly type: 'client'; readonly client: number; readonly settings: ClientSettings }
  /** The client was closed. */
  | { readonly type: 'forget'; readonly client: number }
  | { readonly type: 'exchange'; readonly id: number; readonly client: number; readonly request: ThreadRequest }
  /** Asks for the next chunk of the body, as bytes. */
  | { readonly type: 'next'; readonly id: number }
  /** Append the body to a file. */
  | { readonly type: 'append'; readonly id: number; readonly file: LentFile }
  /** The calling thread has counted the bytes up to a position. */
  | { readonly type: 'counted'; readonly id: number; readonly position: number }
  /** Asks for the progress of the file. */
  | { readonly type: 'save'; readonly id: number }
  | { readonly type: 'stop'; readonly id: number }
  /** The thread may read a file. */
  | { readonly type: 'lend'; readonly source: number; readonly file: LentSource }
  /** The thread must read the file no more. */
  | { readonly type: 'reclaim'; readonly source: number }
  /** The next piece of the body of an exchange. */
  | ({ readonly type: 'piece'; readonly id: number } & BodyPiece)
  /** The body has no more pieces. */
  | { readonly type: 'complete'; readonly id: number }

/** A piece of a body: bytes of a lent source. */
export interface BodyPiece {
  readonly source: number
  readonly position: number
  readonly length: number
}

/** Message of a thread. */
export type BlobNews =
  | ExchangeNews
  /** The thread reads the file no more. */
  | { readonly type: 'reclaimed'; readonly source: number }

/** Message of a thread about one exchange. `end` and `returned` are the last one. */
export type ExchangeNews = { readonly id: number } & (
  | AnswerHead
  | { readonly type: 'chunk'; readonly bytes: Uint8Array }
  /** The file has the bytes up to the position. */
  | { readonly type: 'came'; readonly position: number }
  | { readonly type: 'saved'; readonly progress: LentProgress }
  /** The thread has stopped to use the file. */
  | { readonly type: 'returned'; readonly file: SentFile; readonly error?: SentError | undefined }
  | { readonly type: 'took'; readonly piece: TakenPiece }
  | { readonly type: 'end'; readonly error?: SentError | undefined }
)

/** Outcome of reading a piece of a body. The thread sends the piece afterwards, unless there is a fault. */
export interface TakenPiece {
  /** All bytes of the source have been read, and match its proof. */
  readonly isProven?: boolean | undefined
  readonly fault?: PieceFault | undefined
}

/** Reason why a piece was not read, as plain data; see `LoanFault`. */
export type PieceFault =
  | { readonly type: 'size'; readonly actual: number }
  | { readonly type: 'digest'; readonly actual: Digest }
  | { readonly type: 'system'; readonly fault: SentFault }

/** Head of an answer. */
export interface AnswerHead {
  readonly type: 'head'
  readonly status: number
  readonly headers: IncomingHttpHeaders
}

/** An error as plain data: errors lose their class and their members on their way to another thread. */
export interface SentError {
  readonly code?: RegistryErrorCode | undefined
  readonly message: string
  readonly method: string
  readonly url: string
  readonly status?: number | undefined
  readonly retryable: boolean
  readonly cause?: SentFault | undefined
}

/** A lent file after the thread has stopped, as plain data. */
export type SentFile = Omit<ReturnedFile, 'fault' | 'lost'> & {
  /** Error of the operating system that ended the writes. */
  readonly fault?: SentFault | undefined
}

/** A system error as plain data. */
export interface SentFault {
  readonly message: string
  readonly members: Readonly<Record<string, string | number>>
}
