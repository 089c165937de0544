import type { AbortOptions } from '../../internal/abort.ts'

/** Credentials for a registry: a password, an identity token or a bearer token. */
export interface Credential {
  /** User name. */
  readonly username?: string | undefined
  /** Password or access token of the user. */
  readonly password?: string | undefined
  /** Long-lived token that a token service exchanges for short-lived ones (`identitytoken` of `docker login`). */
  readonly identityToken?: string | undefined
  /** Bearer token that the client sends to the registry unchanged. */
  readonly registryToken?: string | undefined
}

/** Options of a {@link CredentialSource}. */
export interface CredentialOptions extends AbortOptions {
  /** The repository of the request, if it concerns a single one. */
  readonly repository?: string | undefined
}

/**
 * Finds the credentials for a registry, named as in references (`ghcr.io`, `docker.io`, `127.0.0.1:5000`);
 * `undefined` means anonymous.
 */
export type CredentialSource = (
  registry: string,
  options: CredentialOptions,
) => Credential | undefined | Promise<Credential | undefined>
