import { type Digest, digestOf } from '../../digest/index.ts'
import { RegistryError } from '../../errors/index.ts'
import { KeyedMutex } from '../../internal/concurrency/keyed-mutex.ts'
import { type Descriptor, MediaType, type Repository } from '../../oci/index.ts'
import { shownUrl } from '../addresses/shown-url.ts'
import type { RegistryEndpoint } from '../endpoint/registry-endpoint.ts'
import { fallbackTag } from './fallback-tag.ts'
import { fetchFallback } from './fetch-fallback.ts'
import { putManifest } from './put-manifest.ts'

/** Most tries to write a list that another program writes at the same time. */
const TRIES = 4

/**
 * Mutexes by registry, repository and subject: concurrent calls of one client must not overwrite each other's change.
 */
const mutexes = new WeakMap<RegistryEndpoint, KeyedMutex>()

/** One change to the list of a subject's referrers. */
export interface ReferrerChange {
  readonly subject: Digest
  readonly digest: Digest
  /** The entry to add; `undefined` to remove it. */
  readonly entry: Descriptor | undefined
}

/** Adds a referrer to the list under the fallback tag, or removes it, for a registry without a referrers API. */
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
 * SPEC: the protocol has no conditional write. The list is read again after each write, and a change that another
 * program has overwritten is repeated.
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
