import { Limits } from '../spec/index.ts'
import type { Authorize } from './access/access.ts'
import type { RegistryUpstream } from './upstream/upstream-options.ts'

/** What a registry server has answered. */
export interface RegistryRequestEvent {
  /** HTTP method. */
  readonly method: string
  /** Path that was asked for, without the query. */
  readonly path: string
  /** HTTP status of the answer. */
  readonly status: number
  /** Whether the answer went out whole; `false` if the client left or the content proved to be damaged. */
  readonly complete: boolean
  /** Time from the request's head to the end of the answer. */
  readonly durationMs: number
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
  /** Called after every request. If it throws, the connection of that request is closed. */
  readonly onRequest?: ((event: RegistryRequestEvent) => void) | undefined
  /** Bytes that an uploaded manifest may have, at most the 4 MiB of `Limits.manifestBytes`. @defaultValue that */
  readonly maxManifestBytes?: number | undefined
  /** Uploads that may be open at once; more are answered with 429. @defaultValue `256` */
  readonly maxUploads?: number | undefined
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
    onRequest: options.onRequest ?? (() => {}),
    maxManifestBytes: Math.min(options.maxManifestBytes ?? Limits.manifestBytes, Limits.manifestBytes),
    maxUploads: options.maxUploads ?? 256,
    minChunkBytes: options.minChunkBytes ?? 0,
    uploadIdleMs: options.uploadIdleMs ?? 3_600_000,
    keepUploads: options.keepUploads ?? false,
    connectionIdleMs: options.connectionIdleMs ?? 300_000,
    closeGraceMs: options.closeGraceMs ?? 5000,
  }
}
