import { type Digest, parseDigest, splitDigest } from '../../digest/index.ts'
import { DigestMismatchError, FormatError, RegistryError } from '../../errors/index.ts'
import { isRepositoryPath, type Repository } from '../../spec/index.ts'
import type { RegistryEndpoint } from '../endpoint/registry-endpoint.ts'
import { cancelUpload } from './cancel-upload.ts'
import { type StartedUpload, startUpload } from './start-upload.ts'

/**
 * Asks the registry to take a blob over from another of its repositories, or from any of them; `false` if it would not, for whatever reason: the
 * upload that follows will tell.
 */
export async function mountBlob(
  endpoint: RegistryEndpoint,
  repository: Repository,
  digest: Digest,
  from: string | undefined,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  parseDigest(digest)
  if (from !== undefined && !isRepositoryPath(from)) {
    throw new FormatError('ERR_INVALID_REFERENCE', `not a repository: ${JSON.stringify(from)}`)
  }
  const started = await tryMount(endpoint, repository, { digest, from }, signal)
  if (!started?.mounted) {
    if (started?.location) await cancelUpload(endpoint, repository, started.location)
    return false
  }
  const { digest: kept } = started
  if (
    kept !== undefined &&
    kept !== digest &&
    splitDigest(kept as Digest).algorithm === splitDigest(digest).algorithm
  ) {
    throw new DigestMismatchError({ expected: digest, actual: kept, what: 'mounted blob' })
  }
  return true
}

async function tryMount(
  endpoint: RegistryEndpoint,
  repository: Repository,
  mount: { digest: string; from: string | undefined },
  signal: AbortSignal | undefined,
): Promise<StartedUpload | undefined> {
  try {
    return await startUpload(endpoint, repository, { mount, signal })
  } catch (error) {
    const refused = error instanceof RegistryError && error.status !== undefined && error.status < 500
    if (refused && error.status >= 400 && !error.retryable) return undefined
    throw error
  }
}
