import type { HostRule } from './addresses/base-url.ts'
import type { Credential, CredentialSource } from './credentials/credential.ts'
import type { RetryOptions } from './endpoint/retry-budget.ts'
import type { Timeouts } from './transport/transport.ts'

/** Something a registry wants people to know. */
export interface RegistryWarning {
  /** Name of the registry. */
  readonly registry: string
  /** The registry's words, control characters removed; each is reported once. */
  readonly message: string
}

/** A pause before something is tried again. */
export interface RegistryWaitEvent {
  /** The kind of event; there may be others later. */
  readonly type: 'waiting'
  /** Name of the registry. */
  readonly registry: string
  /** How long the pause is. */
  readonly delayMs: number
  /** Why: the code of the failure before it. */
  readonly reason: string
}

/** How {@link createRegistryClient} sets a client up. */
export interface RegistryClientOptions {
  /**
   * Credentials by registry name, before those of docker and podman; or a function that decides alone; or `false` for
   * none at all. @defaultValue those of docker's config and podman's auth file, with their helpers
   */
  readonly credentials?: Readonly<Record<string, Credential>> | CredentialSource | false | undefined
  /** Where config files and credential helpers are looked for. @defaultValue `process.env` */
  readonly environment?: NodeJS.ProcessEnv | undefined
  /** Registries reached without TLS. @defaultValue those on loopback addresses */
  readonly plainHttp?: HostRule | undefined
  /** Registries whose certificate is not checked. @defaultValue none */
  readonly insecure?: HostRule | undefined
  /** Certificate authorities to trust besides the built-in ones, PEM. */
  readonly ca?: string | readonly string[] | undefined
  /** Hosts at private addresses, with or without port, that registries may send us to. @defaultValue none */
  readonly allowedHosts?: readonly string[] | undefined
  /** Blobs moved at a time per registry, in each direction. @defaultValue `4` */
  readonly concurrency?: number | undefined
  /** How failures that may pass are met. */
  readonly retries?: RetryOptions | undefined
  /** How long to wait for what. */
  readonly timeouts?: Partial<Timeouts> | undefined
  /** Told what registries want people to know. */
  readonly onWarning?: ((warning: RegistryWarning) => void) | undefined
  /** Told what happens meanwhile. */
  readonly onEvent?: ((event: RegistryWaitEvent) => void) | undefined
}
