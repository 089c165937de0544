import { RegistryError } from '../../errors/index.ts'

/**
 * Credentials that are there but cannot be used. Going on without would turn a typing error into a puzzling refusal.
 *
 * SAFETY: without the cause, where that would quote what was read.
 */
export function credentialsError(registry: string, message: string, options?: ErrorOptions): RegistryError {
  const details = { method: 'GET', url: `https://${registry}/v2/` }
  return new RegistryError('ERR_CREDENTIALS', `credentials unusable: ${message}`, details, options)
}
