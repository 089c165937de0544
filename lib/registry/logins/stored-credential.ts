/** Options of `saveCredential` and `forgetCredential`. */
export interface StoredCredentialOptions {
  /** Variables that name docker's config file and the search path. @defaultValue `process.env` */
  readonly environment?: NodeJS.ProcessEnv | undefined
  /** Stops a credential helper, and the wait for another change of the file. */
  readonly signal?: AbortSignal | undefined
}

/** A place that holds credentials. */
export interface CredentialPlace {
  /** Name of the credential helper, or of docker's config file, without the home directory. */
  readonly name: string
  /** True if the secret is written as it is, in base64. */
  readonly plain: boolean
}
