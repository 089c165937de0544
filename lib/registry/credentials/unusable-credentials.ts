/**
 * Credentials that are there but cannot be used. Going on without would turn a typing error into a puzzling refusal.
 * The endpoint reports it as `RegistryError` `ERR_CREDENTIALS`, with the address that was asked: only the endpoint knows
 * that address.
 *
 * SAFETY: has no cause where the cause would quote what was read.
 */
export class UnusableCredentials extends Error {
  readonly code = 'ERR_CREDENTIALS'

  constructor(message: string, options?: ErrorOptions) {
    super(`credentials unusable: ${message}`, options)
  }
}
