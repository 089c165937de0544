import type { Digest } from '../../digest/index.ts'
import type { Repository } from '../../oci/index.ts'
import type { RegistryEndpoint } from '../endpoint/registry-endpoint.ts'
import type { UploadMemory } from '../registry-client.ts'
import { uploadSlot } from './upload-state.ts'
import { uploadStatus } from './upload-status.ts'

/** Resolves to the offset of an upload that an earlier call left open; see `RegistryClient.statUpload`. */
export async function statUpload(
  endpoint: RegistryEndpoint,
  repository: Repository,
  digest: Digest,
  uploads: UploadMemory,
  signal: AbortSignal | undefined,
): Promise<number | undefined> {
  const slot = await uploadSlot(uploads, repository, digest)
  const location = await slot?.load(endpoint)
  if (!location) return undefined
  const status = await uploadStatus(endpoint, repository, location, 0, { signal })
  return status?.held
}
