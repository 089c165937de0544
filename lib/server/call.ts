import type { IncomingMessage } from 'node:http'
import type { Store } from '../store/index.ts'
import type { Settings } from './options.ts'
import type { PushLease } from './pushes/push-lease.ts'
import type { ReferrerIndex } from './referrers/referrer-index.ts'
import type { UploadSessions } from './uploads/upload-sessions.ts'
import type { Upstream } from './upstream/upstream.ts'

/** What a server has, whatever it is asked. */
export interface ServerParts {
  readonly store: Store
  readonly settings: Settings
  readonly uploads: UploadSessions
  readonly pushes: PushLease
  readonly referrers: ReferrerIndex
  readonly upstream: Upstream | undefined
}

/** One request, and what is needed to answer it. */
export interface Call extends ServerParts {
  readonly request: IncomingMessage
  readonly path: string
  readonly query: URLSearchParams
  /** What its client is told apart from others by. */
  readonly client: string
  /** Fires when the client has left. */
  readonly signal: AbortSignal
  /** Takes what went wrong although the request is answered well, for the event of the request. */
  readonly report: (error: unknown) => void
}
