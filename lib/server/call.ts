import type { IncomingMessage } from 'node:http'
import type { Store } from '../store/index.ts'
import type { ManifestMemory } from './manifests/manifest-memory.ts'
import type { StoredManifests } from './manifests/stored-manifests.ts'
import type { Settings } from './options.ts'
import type { PeerLink } from './peers/peer-link.ts'
import type { PushLease } from './pushes/push-lease.ts'
import type { ReferrerIndex } from './referrers/referrer-index.ts'
import type { UploadSessions } from './uploads/upload-sessions.ts'
import type { Upstream } from './upstream/upstream.ts'

/** Parts of a server that every request uses. */
export interface ServerParts {
  readonly store: Store
  readonly settings: Settings
  readonly manifests: StoredManifests
  readonly manifestMemory: ManifestMemory
  readonly uploads: UploadSessions
  readonly pushes: PushLease
  readonly referrers: ReferrerIndex
  readonly peers: PeerLink
  readonly upstream: Upstream | undefined
}

/** One request with all that is needed to answer it. */
export interface Call extends ServerParts {
  readonly request: IncomingMessage
  readonly path: string
  readonly query: URLSearchParams
  /** Key that identifies the client for limits; see {@link RegistryCaller.client}. */
  readonly client: string
  /** Fires when the client disconnects. */
  readonly signal: AbortSignal
  /** Records a failure for the request's event although the request is answered with success. */
  readonly report: (error: unknown) => void
}
