import { type Digest, parseDigest } from '../../digest/index.ts'
import { RegistryError } from '../../errors/index.ts'
import type { Repository } from '../../oci/index.ts'
import type { RegistryEndpoint } from '../endpoint/registry-endpoint.ts'
import { cancelUpload } from './cancel-upload.ts'
import { type StartedUpload, type StartUploadOptions, startUpload } from './start-upload.ts'

/**
 * Asks the registry to mount a blob from another of its repositories, or from any; `false` if it does not. Any cause of
 * a refusal appears again in the upload that follows.
 */
export async function mountBlob(
  endpoint: RegistryEndpoint,
  repository: Repository,
  digest: Digest,
  from: string | undefined,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  parseDigest(digest)
  const started = await tryMount(endpoint, repository, digest, { mount: { from }, signal })
  if (started?.mounted) return true
  if (started?.location) await cancelUpload(endpoint, repository, started.location)
  return false
}

async function tryMount(
  endpoint: RegistryEndpoint,
  repository: Repository,
  digest: Digest,
  options: StartUploadOptions,
): Promise<StartedUpload | undefined> {
  try {
    return await startUpload(endpoint, repository, digest, options)
  } catch (error) {
    const refused = error instanceof RegistryError && error.status !== undefined && error.status < 500
    if (refused && error.status >= 400 && !error.retryable) return undefined
    throw error
  }
}
