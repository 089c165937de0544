import { RegistryError } from '../../errors/index.ts'
import { UnusableCredentials } from '../credentials/unusable-credentials.ts'

/**
 * Runs a change of stored credentials, and reports its failures as errors of the registry.
 *
 * @throws `RegistryError` `ERR_CREDENTIALS`; the reason of a signal.
 */
export async function asLoginError<T>(act: 'LOGIN' | 'LOGOUT', registry: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (cause) {
    const details = { method: act, url: registry }
    if (cause instanceof UnusableCredentials) {
      throw new RegistryError('ERR_CREDENTIALS', cause.message, details, { cause })
    }
    const { code, syscall } = cause as NodeJS.ErrnoException
    if (syscall === undefined) throw cause
    throw new RegistryError('ERR_CREDENTIALS', `docker’s config file cannot be written (${code})`, details, { cause })
  }
}
