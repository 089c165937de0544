import type { AbortOptions } from '../../internal/abort.ts'

/** What opens a registry: a password, an identity token, or a ready bearer token. */
export interface Credential {
  /** Name of the user. */
  readonly username?: string | undefined
  /** Password or access token of the user. */
  readonly password?: string | undefined
  /** Long-lived token that a token service changes for short ones (`docker login` keeps it as `identitytoken`). */
  readonly identityToken?: string | undefined
  /** Bearer token that goes to the registry as it is. */
  readonly registryToken?: string | undefined
}

/** What credentials are looked for. */
export interface CredentialOptions extends AbortOptions {
  /** The repository they are for, if for a single one. */
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
