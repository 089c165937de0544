import type { Credential } from '../credentials/credential.ts'
import { asLoginError } from './as-login-error.ts'
import type { CredentialPlace, StoredCredentialOptions } from './stored-credential.ts'

/**
 * Keeps the credentials of a registry where docker keeps them, so that docker, podman, skopeo, crane and this library
 * find them: with the credential helper that docker's config file names for the registry or in general, else in the
 * file itself, readable by its owner only. A login of the same registry is replaced. The credentials are not checked:
 * see {@link RegistryClient.checkAccess}.
 *
 * @throws {@link RegistryError} `ERR_CREDENTIALS` if the file cannot be read or the helper fails, or the
 * file cannot be written. No error quotes a secret.
 */
export async function saveCredential(
  registry: string,
  credential: Credential,
  options: StoredCredentialOptions = {},
): Promise<CredentialPlace> {
  return asLoginError('LOGIN', registry, async () => {
    // Only a login loads what reads and writes files.
    const { keepLogin } = await import('./keep-login.ts')
    return keepLogin(registry, credential, options)
  })
}
