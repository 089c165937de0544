import { type Digest, digestOf } from '../../digest/index.ts'
import { RegistryError } from '../../errors/index.ts'
import { KeyedMutex } from '../../internal/concurrency/keyed-mutex.ts'
import { type Descriptor, MediaType, type Repository } from '../../oci/index.ts'
import { shownUrl } from '../addresses/shown-url.ts'
import type { RegistryEndpoint } from '../endpoint/registry-endpoint.ts'
import { fallbackTag } from './fallback-tag.ts'
import { fetchFallback } from './fetch-fallback.ts'
import { putManifest } from './put-manifest.ts'

/** Another program that writes the same list is met so often at most. */
const TRIES = 4

/** Work on the lists of one registry, by repository and subject: the calls of one client must not undo one another. */
const mutexes = new WeakMap<RegistryEndpoint, KeyedMutex>()

/** One change to the list of a subject's referrers. */
export interface ReferrerChange {
  readonly subject: Digest
  readonly digest: Digest
  /** The entry to be there; `undefined` if there must be none. */
  readonly entry: Descriptor | undefined
}

/** Adds a referrer to, or removes it from, the list under the fallback tag, for a registry that keeps no such lists. */
export async function keepReferrer(
  endpoint: RegistryEndpoint,
  repository: Repository,
  change: ReferrerChange,
  signal: AbortSignal | undefined,
): Promise<void> {
  const mutex = mutexes.get(endpoint) ?? new KeyedMutex()
  mutexes.set(endpoint, mutex)
  const key = `${repository.repository}@${change.subject}`
  await mutex.runExclusive(key, () => changeList(endpoint, repository, change, signal), signal)
}

/**
 * SPEC: the list cannot be written conditionally, so it is read again afterwards, and what another program has
 * overwritten is done again.
 */
async function changeList(
  endpoint: RegistryEndpoint,
  { registry, repository }: Repository,
  { subject, digest, entry }: ReferrerChange,
  signal: AbortSignal | undefined,
): Promise<void> {
  const target = { registry, repository, tag: fallbackTag(subject) }
  for (let tries = 0; ; tries++) {
    const known = (await fetchFallback(endpoint, target, subject, signal)) ?? []
    const others = known.filter(descriptor => descriptor.digest !== digest)
    const isDone = entry === undefined ? others.length === known.length : others.length < known.length
    if (isDone) return
    const url = endpoint.url(target, `manifests/${target.tag}`)
    const details = { method: 'PUT', url: shownUrl(url) }
    if (tries === TRIES) throw new RegistryError('ERR_REGISTRY', 'list of referrers does not stay as written', details)
    const manifests = entry === undefined ? others : [...others, entry]
    const bytes = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: MediaType.OciIndex, manifests }))
    const descriptor = { mediaType: MediaType.OciIndex, digest: await digestOf(bytes), size: bytes.byteLength }
    await putManifest(endpoint, target, { descriptor, bytes }, { signal })
  }
}
