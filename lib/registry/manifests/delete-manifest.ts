import { type Digest, parseDigest } from '../../digest/index.ts'
import { RegistryError } from '../../errors/index.ts'
import type { Repository } from '../../oci/index.ts'
import type { RegistryEndpoint } from '../endpoint/registry-endpoint.ts'
import { deleteAt } from './delete-at.ts'
import { fetchFallback } from './fetch-fallback.ts'
import { fetchManifest } from './fetch-manifest.ts'
import { keepReferrer } from './keep-referrer.ts'
import { referrerIn } from './push-manifest.ts'

/**
 * Deletes a manifest. If the registry has no referrers API, also deletes its entry in the list of its subject's
 * referrers.
 */
export async function deleteManifest(
  endpoint: RegistryEndpoint,
  { registry, repository }: Repository,
  digest: Digest,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  const target = { registry, repository }
  const subject = await subjectOf(endpoint, target, parseDigest(digest), signal)
  const list = subject && (await fetchFallback(endpoint, target, subject, signal))
  const deleted = await deleteAt(endpoint, target, endpoint.url(target, `manifests/${digest}`), signal)
  if (subject && list) await keepReferrer(endpoint, target, { subject, digest, entry: undefined }, signal)
  return deleted
}

async function subjectOf(
  endpoint: RegistryEndpoint,
  target: Repository,
  digest: Digest,
  signal: AbortSignal | undefined,
): Promise<Digest | undefined> {
  try {
    return referrerIn(await fetchManifest(endpoint, { ...target, digest }, signal)).subject?.digest
  } catch (error) {
    // A manifest that cannot be read must still be deletable; its subject is unknown then.
    if (error instanceof RegistryError && error.code !== 'ERR_MANIFEST_NOT_FOUND') throw error
    if (signal?.aborted) throw error
    return undefined
  }
}
