import type { IncomingHttpHeaders } from 'node:http'
import type { LentFile, LentProgress, ReturnedFile } from '../../../digest/index.ts'
import type { RegistryErrorCode } from '../../../errors/index.ts'
import type { AddressScope } from '../../addresses/address-scope.ts'
import type { Timeouts, TlsSettings } from '../transport.ts'

/** Settings of a client's connections. */
export interface ClientSettings {
  readonly timeouts: Timeouts
  readonly ca?: readonly string[] | undefined
}

/** One GET, with its final address and headers. */
export interface ThreadRequest {
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly tls?: TlsSettings | undefined
  readonly reach?: AddressScope | undefined
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

/** Message of a thread about one exchange. `end` and `returned` are the last one. */
export type BlobNews = { readonly id: number } & (
  | AnswerHead
  | { readonly type: 'chunk'; readonly bytes: Uint8Array }
  /** The file has the bytes up to the position. */
  | { readonly type: 'came'; readonly position: number }
  | { readonly type: 'saved'; readonly progress: LentProgress }
  /** The thread has stopped to use the file. */
  | { readonly type: 'returned'; readonly file: SentFile; readonly error?: SentError | undefined }
  | { readonly type: 'end'; readonly error?: SentError | undefined }
)

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
