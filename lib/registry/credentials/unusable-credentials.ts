/**
 * Credentials that exist but cannot be used. Without this error the client would continue anonymously, and the
 * registry's refusal would hide the mistake. The endpoint reports it as `RegistryError` `ERR_CREDENTIALS` with the
 * requested URL, which only the endpoint knows.
 *
 * SAFETY: a cause that quotes what was read would leak secrets, so such an error has no cause.
 */
export class UnusableCredentials extends Error {
  readonly code = 'ERR_CREDENTIALS'

  constructor(message: string, options?: ErrorOptions) {
    super(`credentials unusable: ${message}`, options)
  }
}
