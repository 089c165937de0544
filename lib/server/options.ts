import type { IncomingMessage } from 'node:http'
import { Limits } from '../spec/index.ts'
import type { Authorize } from './access/access.ts'
import { clientAt } from './connections/client-at.ts'
import type { RegistryUpstream } from './upstream/upstream-options.ts'

/** What a registry server has answered. */
export interface RegistryRequestEvent {
  /** HTTP method. */
  readonly method: string
  /** Path that was asked for, without the query. */
  readonly path: string
  /** HTTP status of the answer; `0` if the client left before there was one. */
  readonly status: number
  /** Whether the answer went out whole; `false` if the client left or the content proved to be damaged. */
  readonly complete: boolean
  /** Time from the request's head to the end of the answer. */
  readonly durationMs: number
  /** Address of the client, or of the proxy that it comes through. `undefined` if the connection is closed already. */
  readonly client: string | undefined
  /** User name that the request brought, where `authorize` is set; a status of 401 means that it proved nothing. */
  readonly username: string | undefined
  /** Bytes of content that were handed to the connection. */
  readonly bytesSent: number
  /**
   * What went wrong; `undefined` if nothing did, and if the client left. For a refusal an `Error` that says what the client
   * was told; for a failure the error itself, with its causes. With a status below 400: why the upstream registry could not
   * be asked, and the answer was given without it. SAFETY: it may name paths and hosts that the client was not told.
   */
  readonly error: unknown
}

/** Settings of a registry server. */
export interface RegistryServerOptions {
  /** Refuse everything that changes the store. @defaultValue `false` */
  readonly readOnly?: boolean | undefined
  /**
   * Asked before every request, with the user and password that it brings; see {@link allowUsers} and {@link allowHtpasswd}.
   * All repositories share the blobs of the store: whoever may pull from one may pull every blob whose digest he knows.
   * @defaultValue everyone may do everything
   */
  readonly authorize?: Authorize | undefined
  /** Shown to who has to log in. @defaultValue `'layerstore'` */
  readonly realm?: string | undefined
  /** Registry to fetch from what the store does not have. Nothing can be pushed then. @defaultValue none */
  readonly upstream?: RegistryUpstream | undefined
  /**
   * Tells clients apart, for the limits of each: `request => String(request.headers['x-real-ip'])` behind a proxy that sets
   * this header. @defaultValue the address of the connection; of an IPv6 address the first half, which is one customer's
   */
  readonly clientOf?: ((request: IncomingMessage) => string) | undefined
  /** Called after every request. If it throws, the connection of that request is closed. */
  readonly onRequest?: ((event: RegistryRequestEvent) => void) | undefined
  /**
   * Called with failures that no request waits for: of a fetch from the upstream registry whose client has left, of a name
   * that a fetched image should get, of an upload that should be dropped. What it throws is ignored.
   */
  readonly onError?: ((error: unknown) => void) | undefined
  /** Bytes that an uploaded manifest may have, at most the 4 MiB of `Limits.manifestBytes`. @defaultValue that */
  readonly maxManifestBytes?: number | undefined
  /**
   * Uploads that may be open at once. One more takes the place of the oldest upload without a byte, of the client that has
   * the most; if every upload has bytes, it is answered with 429. @defaultValue `256`
   */
  readonly maxUploads?: number | undefined
  /** Uploads that one client may have open at once; one more takes the place of its own. @defaultValue `128` */
  readonly maxUploadsPerClient?: number | undefined
  /** An upload that has been begun and brings nothing for so long is dropped. @defaultValue five minutes */
  readonly emptyUploadIdleMs?: number | undefined
  /**
   * Bytes that every piece of an upload must have, except the last; clients are told by `OCI-Chunk-Min-Length`.
   * @defaultValue `0`: any number
   */
  readonly minChunkBytes?: number | undefined
  /**
   * An upload to which nothing happens for so long is dropped with its bytes. For so long after the last request of a push
   * its blobs are under a lease. @defaultValue one hour
   */
  readonly uploadIdleMs?: number | undefined
  /**
   * Leave unfinished uploads in the store when the server closes, so that another one on the same store goes on with them.
   * What a killed server leaves is gone on with in any case. @defaultValue `false`
   */
  readonly keepUploads?: boolean | undefined
  /**
   * Requests that may wait on a connection while an earlier one is answered; a connection with more is closed. Clients that
   * send the next request after the answer never have one waiting. @defaultValue `100`
   */
  readonly maxPipelinedRequests?: number | undefined
  /** A connection on which nothing moves for so long is closed. @defaultValue five minutes */
  readonly connectionIdleMs?: number | undefined
  /** How long `close` lets running requests finish. @defaultValue `5000` */
  readonly closeGraceMs?: number | undefined
}

type Optional = 'authorize' | 'upstream'

/** The settings with their defaults. */
export type Settings = Required<{
  [K in Exclude<keyof RegistryServerOptions, Optional>]: NonNullable<RegistryServerOptions[K]>
}> & { readonly [K in Optional]: RegistryServerOptions[K] }

/** Fills in the defaults. */
export function settingsOf(options: RegistryServerOptions): Settings {
  return {
    // What is fetched from elsewhere must stay what it is elsewhere.
    readOnly: (options.readOnly ?? false) || options.upstream !== undefined,
    authorize: options.authorize,
    realm: options.realm ?? 'layerstore',
    upstream: options.upstream,
    clientOf: options.clientOf ?? (({ socket }) => clientAt(socket.remoteAddress)),
    onRequest: options.onRequest ?? (() => {}),
    onError: quietly(options.onError ?? (() => {})),
    maxManifestBytes: Math.min(options.maxManifestBytes ?? Limits.manifestBytes, Limits.manifestBytes),
    maxUploads: options.maxUploads ?? 256,
    maxUploadsPerClient: options.maxUploadsPerClient ?? 128,
    emptyUploadIdleMs: options.emptyUploadIdleMs ?? 300_000,
    minChunkBytes: options.minChunkBytes ?? 0,
    uploadIdleMs: options.uploadIdleMs ?? 3_600_000,
    keepUploads: options.keepUploads ?? false,
    maxPipelinedRequests: options.maxPipelinedRequests ?? 100,
    connectionIdleMs: options.connectionIdleMs ?? 300_000,
    closeGraceMs: options.closeGraceMs ?? 5000,
  }
}

/** A listener that throws must not end what has failed already. */
function quietly(listener: (error: unknown) => void): (error: unknown) => void {
  return error => {
    try {
      listener(error)
    } catch {
      // Documented as ignored.
    }
  }
}
