import { RegistryError } from '../../errors/index.ts'
import type { Repository } from '../../oci/index.ts'
import type { RegistryEndpoint } from '../endpoint/registry-endpoint.ts'
import { deleteAt } from './delete-at.ts'
import { manifestRequest } from './manifest-request.ts'

/**
 * Deletes a tag; `false` if it did not exist. SPEC: a registry may refuse to delete tags, with 400 or 405
 * (distribution-spec, deleting tags); docker distribution does.
 *
 * @throws {@link RegistryError} `ERR_TAG_DELETION_UNSUPPORTED`.
 */
export async function deleteTag(
  endpoint: RegistryEndpoint,
  { registry, repository }: Repository,
  tag: string,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  const target = { registry, repository }
  const { url } = manifestRequest(endpoint, 'GET', { ...target, tag }, signal)
  try {
    return await deleteAt(endpoint, target, url, signal)
  } catch (error) {
    if (!(error instanceof RegistryError) || !isUnsupported(error)) throw error
    const { method, status, errors } = error
    const message = 'this registry does not delete tags; delete by digest'
    throw new RegistryError(
      'ERR_TAG_DELETION_UNSUPPORTED',
      message,
      { method, url: error.url, status, errors },
      {
        cause: error,
      },
    )
  }
}

function isUnsupported({ status, errors }: RegistryError): boolean {
  if (status === 405 || status === 501) return true
  return status === 400 && errors.some(({ code }) => code === 'UNSUPPORTED' || code === 'DIGEST_INVALID')
}
