import type { IncomingMessage } from 'node:http'
import type { Store } from '../store/index.ts'
import type { Settings } from './options.ts'
import type { UploadSessions } from './uploads/upload-sessions.ts'

/** One request, and what is needed to answer it. */
export interface Call {
  readonly store: Store
  readonly settings: Settings
  readonly uploads: UploadSessions
  readonly request: IncomingMessage
  readonly path: string
  readonly query: URLSearchParams
  /** Fires when the client has left. */
  readonly signal: AbortSignal
}
