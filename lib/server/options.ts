import { Limits } from '../spec/index.ts'

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
  /** Called after every request. If it throws, the connection of that request is closed. */
  readonly onRequest?: ((event: RegistryRequestEvent) => void) | undefined
  /** Bytes that an uploaded manifest may have, at most the 4 MiB of `Limits.manifestBytes`. @defaultValue that */
  readonly maxManifestBytes?: number | undefined
  /** Uploads that may be open at once; more are answered with 429. @defaultValue `256` */
  readonly maxUploads?: number | undefined
  /** An upload to which nothing happens for so long is dropped with its bytes. @defaultValue one hour */
  readonly uploadIdleMs?: number | undefined
  /** A connection on which nothing moves for so long is closed. @defaultValue five minutes */
  readonly connectionIdleMs?: number | undefined
  /** How long `close` lets running requests finish. @defaultValue `5000` */
  readonly closeGraceMs?: number | undefined
}

/** The settings with their defaults. */
export type Settings = Required<{ [K in keyof RegistryServerOptions]: NonNullable<RegistryServerOptions[K]> }>

/** Fills in the defaults. */
export function settingsOf(options: RegistryServerOptions): Settings {
  return {
    readOnly: options.readOnly ?? false,
    onRequest: options.onRequest ?? (() => {}),
    maxManifestBytes: Math.min(options.maxManifestBytes ?? Limits.manifestBytes, Limits.manifestBytes),
    maxUploads: options.maxUploads ?? 256,
    uploadIdleMs: options.uploadIdleMs ?? 3_600_000,
    connectionIdleMs: options.connectionIdleMs ?? 300_000,
    closeGraceMs: options.closeGraceMs ?? 5000,
  }
}
