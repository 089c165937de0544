import type { IncomingMessage } from 'node:http'
import { invalidArgument } from '../internal/invalid-argument.ts'
import { Limits } from '../oci/index.ts'
import type { Authorize } from './access/access.ts'
import { clientAt } from './connections/client-at.ts'
import type { RegistryPeers } from './peers/registry-peers.ts'
import type { ServePage } from './serve-page.ts'
import type { RegistryUpstream } from './upstream/upstream-options.ts'

/** One answered request, as passed to `onRequest`. */
export interface RegistryRequestEvent {
  /** HTTP method. */
  readonly method: string
  /** Path of the request, without the query. */
  readonly path: string
  /** HTTP status of the answer; `0` if the client disconnected before the answer began. */
  readonly status: number
  /** Whether the answer was sent whole; `false` if the client disconnected or the content turned out to be damaged. */
  readonly complete: boolean
  /** Time in milliseconds from the request's head to the end of the answer. */
  readonly durationMs: number
  /**
   * IP address of the client, or of its proxy. `undefined` if the connection was closed before the request was handled.
   */
  readonly client: string | undefined
  /** User name that the request sent, if `authorize` is set. With status 401 the name is not authenticated. */
  readonly username: string | undefined
  /** Bytes of content that were written to the connection. */
  readonly bytesSent: number
  /**
   * The failure; `undefined` if there was none, and if the client disconnected.
   *
   * - A refusal (status 4xx): an `Error` with the message that was sent to the client.
   * - A failure: the error itself, with its causes.
   * - A status below 400: the reason why the upstream registry could not be asked and the answer was given without it.
   *
   * SAFETY: the error may contain paths and hosts that were not sent to the client.
   */
  readonly error: unknown
}

/** Options of {@link createRegistryServer}. */
export interface RegistryServerOptions {
  /** Refuses every request that changes the store. @defaultValue `false` */
  readonly readOnly?: boolean | undefined
  /**
   * Decides for each request, with its user name and password, whether it is served; see {@link allowUsers} and
   * {@link allowHtpasswd}. All repositories share the blobs of the store: a user with pull access to one repository can
   * pull every blob whose digest the user knows. @defaultValue allows every request
   */
  readonly authorize?: Authorize | undefined
  /** Realm of the log-in challenge (`WWW-Authenticate`). @defaultValue `'layerstore'` */
  readonly realm?: string | undefined
  /** Registry to mirror: content that the store lacks is fetched from it. A mirror is read-only. @defaultValue none */
  readonly upstream?: RegistryUpstream | undefined
  /**
   * Returns the key that identifies a client for the limits per client. Behind a proxy that sets the header, use
   * `request => String(request.headers['x-real-ip'])`. @defaultValue the IPv4 address of the connection, or the first
   * half of its IPv6 address, which usually belongs to one customer
   */
  readonly clientOf?: ((request: IncomingMessage) => string) | undefined
  /**
   * Answers GET and HEAD requests for paths outside of `/v2/`, for people with a browser; `createReportPages` of
   * `layerstore/inspect` makes such a function. `undefined` is answered with 404. With `authorize`, a page is a pull
   * without a repository, as the catalog is. The headers replace those of the server. @defaultValue no pages
   */
  readonly pages?: ServePage | undefined
  /**
   * Hashing of blobs while they are sent: of each one the first time and after its file has changed (inode, size or
   * times), or of each one every time. @defaultValue `'once-per-process'`
   */
  readonly verify?: 'once-per-process' | 'always' | undefined
  /**
   * Answers GET of a blob with 307 and an address of the store, such as a presigned one of a bucket, so that the bytes
   * do not pass through this server; `true` for all requests, or a function that decides for each one, for instance by
   * the address of the client. Any client that has the address can use it for fifteen minutes. A store without
   * addresses, and HEAD, are answered as usual. @defaultValue `false`
   */
  readonly redirects?: boolean | ((request: IncomingMessage) => boolean) | undefined
  /**
   * Saves the bytes of an upload at the end of each request, so that the next one may reach any server over the same
   * store. For servers on several machines; between processes that can exchange messages `peers` costs less, because a
   * small chunk is saved only if another process is asked for the upload. An upload id without bytes then counts as an
   * empty upload. Uploads that name another algorithm than sha256 at their start stay at one server. @defaultValue
   * `false`
   */
  readonly shareUploads?: boolean | undefined
  /**
   * Connects this server to others over the same store in other processes, so that an upload which began at one goes on
   * at any of them; see {@link createProcessPeers}. For processes of one machine; servers that cannot exchange messages
   * use `shareUploads`. All limits hold for each server alone. @defaultValue no others
   */
  readonly peers?: RegistryPeers | undefined
  /** Called after every request. If it throws, the connection of that request is closed. */
  readonly onRequest?: ((event: RegistryRequestEvent) => void) | undefined
  /**
   * Called with each failure that no request waits for: a fetch from the upstream registry whose client has
   * disconnected, a name that could not be set for a fetched image, an upload that could not be dropped. Exceptions of
   * the callback are ignored.
   */
  readonly onError?: ((error: unknown) => void) | undefined
  /**
   * Largest manifest that may be pushed, in bytes, up to `Limits.manifestBytes`. @defaultValue 4 MiB, the value of that
   * limit
   */
  readonly maxManifestBytes?: number | undefined
  /**
   * Memory in bytes for manifests that are being processed, of all requests together. Further requests wait before the
   * server reads their bodies. A quarter of it is reserved for manifests up to 256 KiB. @defaultValue 32 MiB
   */
  readonly manifestMemoryBytes?: number | undefined
  /**
   * Time in milliseconds that the body of a manifest may take to arrive; then the answer is 408. @defaultValue 30
   * seconds
   */
  readonly manifestTimeoutMs?: number | undefined
  /**
   * Uploads that may be open at once. A further upload replaces the oldest empty upload of the client with the most
   * uploads. If no upload is empty, it is answered with 429. @defaultValue `2048`
   */
  readonly maxUploads?: number | undefined
  /**
   * Uploads that one client may have open at once; a further one replaces its oldest empty upload. @defaultValue `1024`
   */
  readonly maxUploadsPerClient?: number | undefined
  /** Time in milliseconds after which an upload without a byte is dropped. @defaultValue five minutes */
  readonly emptyUploadIdleMs?: number | undefined
  /**
   * Least size in bytes of every chunk of an upload except the last; sent to clients as `OCI-Chunk-Min-Length`.
   * @defaultValue `0`: any size
   */
  readonly minChunkBytes?: number | undefined
  /**
   * Time in milliseconds without a request after which an upload and its bytes are dropped. The blobs of a push are
   * under a lease for the same time after its last request. @defaultValue one hour
   */
  readonly uploadIdleMs?: number | undefined
  /**
   * Keeps unfinished uploads in the store when the server closes, so that clients can resume them at another server on
   * the same store. Uploads of a killed server can be resumed in any case. @defaultValue `false`
   */
  readonly keepUploads?: boolean | undefined
  /**
   * Pipelined requests that may wait on one connection; a connection with more is closed. A client without pipelining
   * never has one waiting. @defaultValue `100`
   */
  readonly maxPipelinedRequests?: number | undefined
  /** Time in milliseconds without traffic after which a connection is closed. @defaultValue five minutes */
  readonly connectionIdleMs?: number | undefined
  /** Time in milliseconds that `close` waits for running requests. @defaultValue `5000` */
  readonly closeGraceMs?: number | undefined
}

type Optional = 'authorize' | 'upstream' | 'pages' | 'peers'

/** Options with defaults filled in. */
export type Settings = Required<{
  [K in Exclude<keyof RegistryServerOptions, Optional | 'redirects'>]: NonNullable<RegistryServerOptions[K]>
}> & { readonly [K in Optional]: RegistryServerOptions[K] } & {
  /** Whether a GET of a blob may be answered with an address. */
  readonly redirects: (request: IncomingMessage) => boolean
}

/** Fills in the defaults. */
export function settingsOf(options: RegistryServerOptions): Settings {
  return {
    // A mirror must serve what its upstream registry has, so nothing may be pushed to it.
    readOnly: (options.readOnly ?? false) || options.upstream !== undefined,
    authorize: options.authorize,
    realm: options.realm ?? 'layerstore',
    upstream: options.upstream,
    pages: options.pages,
    peers: options.peers,
    redirects: redirectsOf(options.redirects ?? false),
    shareUploads: options.shareUploads ?? false,
    clientOf: options.clientOf ?? (({ socket }) => clientAt(socket.remoteAddress)),
    verify: options.verify ?? 'once-per-process',
    onRequest: options.onRequest ?? (() => {}),
    onError: ignoringErrors(options.onError ?? (() => {})),
    maxManifestBytes: Math.min(options.maxManifestBytes ?? Limits.manifestBytes, Limits.manifestBytes),
    manifestMemoryBytes: options.manifestMemoryBytes ?? 32 * 1024 * 1024,
    manifestTimeoutMs: options.manifestTimeoutMs ?? 30_000,
    maxUploads: options.maxUploads ?? 2048,
    maxUploadsPerClient: options.maxUploadsPerClient ?? 1024,
    emptyUploadIdleMs: options.emptyUploadIdleMs ?? 300_000,
    minChunkBytes: options.minChunkBytes ?? 0,
    uploadIdleMs: options.uploadIdleMs ?? 3_600_000,
    keepUploads: options.keepUploads ?? false,
    maxPipelinedRequests: options.maxPipelinedRequests ?? 100,
    connectionIdleMs: options.connectionIdleMs ?? 300_000,
    closeGraceMs: options.closeGraceMs ?? 5000,
  }
}

function redirectsOf(option: NonNullable<RegistryServerOptions['redirects']>): Settings['redirects'] {
  if (typeof option === 'boolean') return () => option
  if (typeof option === 'function') return option
  throw invalidArgument('redirects', 'true, false or a function', option)
}

/** Wraps a listener so that its exceptions are ignored: they must not replace the failure that it is told of. */
function ignoringErrors(listener: (error: unknown) => void): (error: unknown) => void {
  return error => {
    try {
      listener(error)
    } catch {
      // Documented as ignored.
    }
  }
}
