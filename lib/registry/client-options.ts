import type { HostLookup } from './addresses/address-scope.ts'
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
  /** The kind of event. */
  readonly type: 'waiting'
  /** Name of the registry. */
  readonly registry: string
  /** How long the pause is. */
  readonly delayMs: number
  /** Why: the code of the failure before it. */
  readonly reason: string
}

/** What a registry told about how many requests it still allows. */
export interface RegistryRateLimitEvent {
  /** The kind of event. */
  readonly type: 'rate-limit'
  /** Name of the registry. */
  readonly registry: string
  /** Requests allowed in the window, if told. */
  readonly limit: number | undefined
  /** Requests still allowed in the window. */
  readonly remaining: number
  /** Length of the window in seconds, if told. */
  readonly windowSeconds: number | undefined
}

/** A mirror that did not help; the next source is asked. */
export interface RegistryMirrorEvent {
  /** The kind of event. */
  readonly type: 'mirror-failed'
  /** Name of the registry. */
  readonly registry: string
  /** Name of the mirror. */
  readonly mirror: string
  /** Why: the code of the failure. */
  readonly reason: string
}

/** What happens between a client and its registries that people may want to see. */
export type RegistryEvent = RegistryWaitEvent | RegistryRateLimitEvent | RegistryMirrorEvent

/** A registry that holds what another one holds. */
export interface RegistryMirror {
  /** Name of the mirror, as in references, and, after a `/`, what its repositories begin with: `10.0.0.1:5000/hub`. */
  readonly location: string
  /**
   * Tell the mirror by `ns=` which registry is meant, which a mirror of several needs. @defaultValue `true`
   */
  readonly sendOrigin?: boolean | undefined
  /** Ask it only for digests, never what a tag stands for. @defaultValue `false` */
  readonly byDigestOnly?: boolean | undefined
}

/** Settings of one registry. Nothing of it is sent to or used for another host, also if the registry redirects there. */
export interface RegistryHostOptions {
  /** Certificate authorities to trust besides the built-in ones, PEM. */
  readonly ca?: string | readonly string[] | undefined
  /** Certificate chain that shows the registry who we are, PEM. */
  readonly cert?: string | undefined
  /** Private key of `cert`, PEM. */
  readonly key?: string | undefined
  /** Opens `key`, if it is encrypted. */
  readonly passphrase?: string | undefined
  /** Do not check the registry's certificate. */
  readonly insecure?: boolean | undefined
  /** Reach the registry without TLS. */
  readonly plainHttp?: boolean | undefined
  /** Blobs moved at a time, in each direction. */
  readonly concurrency?: number | undefined
  /** Where to look first, in this order; the registry itself comes last. Only for reading. */
  readonly mirrors?: readonly (string | RegistryMirror)[] | undefined
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
  /** Settings of single registries, by name as in references; they win over the general ones. */
  readonly hosts?: Readonly<Record<string, RegistryHostOptions>> | undefined
  /**
   * Proxy for requests, `http://` or `https://`, with user and password if it wants them; `false` for none. Loopback
   * addresses are always reached directly.
   *
   * @defaultValue what `HTTPS_PROXY`, `HTTP_PROXY` and `NO_PROXY` of `environment` say, in either case
   */
  readonly proxy?: string | false | undefined
  /** How names become addresses. @defaultValue the system's way */
  readonly lookup?: HostLookup | undefined
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
  readonly onEvent?: ((event: RegistryEvent) => void) | undefined
}
