import { asLoginError } from './as-login-error.ts'
import type { StoredCredentialOptions } from './stored-credential.ts'

/**
 * Removes the credentials of a registry from docker's config file and its credential helper. Idempotent. Resolves to
 * whether there were any.
 *
 * @throws {@link RegistryError} `ERR_CREDENTIALS` if the file cannot be read or the helper fails, or the
 * file cannot be written.
 */
export async function forgetCredential(registry: string, options: StoredCredentialOptions = {}): Promise<boolean> {
  return asLoginError('LOGOUT', registry, async () => {
    const { dropLogin } = await import('./drop-login.ts')
    return dropLogin(registry, options)
  })
}
