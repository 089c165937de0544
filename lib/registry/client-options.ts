import type { HostLookup } from './addresses/address-scope.ts'
import type { HostRule } from './addresses/base-url.ts'
import type { Credential, CredentialSource } from './credentials/credential.ts'
import type { RetryOptions } from './endpoint/retry-budget.ts'
import type { Timeouts } from './transport/transport.ts'

/** A message for users that a registry sent in a `Warning` header. */
export interface RegistryWarning {
  /** Name of the registry. */
  readonly registry: string
  /** The registry's text without control characters. Each message is reported once. */
  readonly message: string
}

/** A pause before a retry. */
export interface RegistryWaitEvent {
  /** Discriminant. */
  readonly type: 'waiting'
  /** Name of the registry. */
  readonly registry: string
  /** Length of the pause in milliseconds. */
  readonly delayMs: number
  /** Error code of the failure that caused the retry. */
  readonly reason: string
}

/** The rate limit that a registry reported with an answer. */
export interface RegistryRateLimitEvent {
  /** Discriminant. */
  readonly type: 'rate-limit'
  /** Name of the registry. */
  readonly registry: string
  /** Requests allowed in the window; `undefined` if the registry did not say. */
  readonly limit: number | undefined
  /** Requests left in the window. */
  readonly remaining: number
  /** Length of the window in seconds; `undefined` if the registry did not say. */
  readonly windowSeconds: number | undefined
}

/** A mirror that failed. The client asks the next source. */
export interface RegistryMirrorEvent {
  /** Discriminant. */
  readonly type: 'mirror-failed'
  /** Name of the registry. */
  readonly registry: string
  /** Name of the mirror. */
  readonly mirror: string
  /** Error code of the failure. */
  readonly reason: string
}

/** Event that a client reports to `onEvent`, discriminated by `type`. */
export type RegistryEvent = RegistryWaitEvent | RegistryRateLimitEvent | RegistryMirrorEvent

/** A registry that serves copies of the contents of another registry. */
export interface RegistryMirror {
  /**
   * Name of the mirror as in references, optionally with `/` and the prefix of its repositories: `10.0.0.1:5000/hub`.
   */
  readonly location: string
  /** Send the name of the mirrored registry as `ns=`. A mirror of several registries needs it. @defaultValue `true` */
  readonly sendOrigin?: boolean | undefined
  /** Ask the mirror for digests only; tags are resolved elsewhere. @defaultValue `false` */
  readonly byDigestOnly?: boolean | undefined
}

/**
 * Settings of one registry. The client neither sends them to another host nor uses them there, even after a redirect.
 */
export interface RegistryHostOptions {
  /** Certificate authorities to trust besides the built-in ones, PEM. */
  readonly ca?: string | readonly string[] | undefined
  /** Client certificate chain that the client presents to the registry, PEM. */
  readonly cert?: string | undefined
  /** Private key of `cert`, PEM. */
  readonly key?: string | undefined
  /** Passphrase of `key`, if it is encrypted. */
  readonly passphrase?: string | undefined
  /** Do not verify the registry's certificate. */
  readonly insecure?: boolean | undefined
  /** Connect without TLS. */
  readonly plainHttp?: boolean | undefined
  /** Number of concurrent blob transfers in each direction. */
  readonly concurrency?: number | undefined
  /** Sources to read from before the registry itself, in this order. Writes never use them. */
  readonly mirrors?: readonly (string | RegistryMirror)[] | undefined
}

/** Options of {@link createRegistryClient}. */
export interface RegistryClientOptions {
  /**
   * Credentials by registry name, which precede those of docker and podman; or a function, which replaces them; or
   * `false` for no credentials. @defaultValue those of docker's config and podman's auth file, including credential
   * helpers
   */
  readonly credentials?: Readonly<Record<string, Credential>> | CredentialSource | false | undefined
  /** Environment variables that locate config files and credential helpers. @defaultValue `process.env` */
  readonly environment?: NodeJS.ProcessEnv | undefined
  /** Registries that the client connects to without TLS. @defaultValue those on loopback addresses */
  readonly plainHttp?: HostRule | undefined
  /** Registries whose certificate the client does not verify. @defaultValue none */
  readonly insecure?: HostRule | undefined
  /** Certificate authorities to trust besides the built-in ones, PEM. */
  readonly ca?: string | readonly string[] | undefined
  /**
   * Settings of single registries, by name as in references, or a function that returns them. The client calls the
   * function once for each registry, when it first needs it. They take precedence over the general options.
   */
  readonly hosts?:
    | Readonly<Record<string, RegistryHostOptions>>
    | ((registry: string) => RegistryHostOptions | undefined)
    | undefined
  /**
   * URL of the proxy, `http://` or `https://`, with user and password if the proxy requires them; `false` for none; or a
   * function that returns either for the URL of a request, and `undefined` for the default. The client always connects
   * to loopback addresses directly.
   *
   * @defaultValue `HTTPS_PROXY`, `HTTP_PROXY` and `NO_PROXY` of `environment`, in upper or lower case
   */
  readonly proxy?: string | false | ((url: URL) => string | false | undefined) | undefined
  /** Resolves host names to addresses. @defaultValue the system's resolver */
  readonly lookup?: HostLookup | undefined
  /**
   * Hosts at private addresses, with or without port, that a registry may name in redirects, token realms and upload
   * locations. @defaultValue none
   */
  readonly allowedHosts?: readonly string[] | undefined
  /** Number of concurrent blob transfers per registry in each direction. @defaultValue `4` */
  readonly concurrency?: number | undefined
  /** Retries and back-off of transient failures. */
  readonly retries?: RetryOptions | undefined
  /** Time limits of the phases of a request. */
  readonly timeouts?: Partial<Timeouts> | undefined
  /** Receives the warnings of registries. */
  readonly onWarning?: ((warning: RegistryWarning) => void) | undefined
  /** Receives pauses, rate limits and failures of mirrors. */
  readonly onEvent?: ((event: RegistryEvent) => void) | undefined
}
