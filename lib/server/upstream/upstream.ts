import { type Digest, isDigest } from '../../digest/index.ts'
import { FormatError } from '../../errors/index.ts'
import { abortable } from '../../internal/abort.ts'
import { type Descriptor, parseImageDocument, parseReference } from '../../oci/index.ts'
import type { RegistryClient } from '../../registry/index.ts'
import type { Store } from '../../store/index.ts'
import { findTag } from '../lists/find-tag.ts'
import { findManifest, parseAnnounced } from '../manifests/proven-document.ts'
import { locate, type RepositoryNames } from '../served-names.ts'
import { CircuitBreaker } from './circuit-breaker.ts'
import { KnownTags } from './known-tags.ts'
import { PendingNames } from './pending-names.ts'
import { UpstreamBlobs } from './upstream-blobs.ts'
import { assertMayFetch, isPolicyRefusal, isUpstreamAbsence, upstreamFault } from './upstream-fault.ts'
import type { RegistryUpstream } from './upstream-options.ts'
import { VerifiedManifests } from './verified-manifests.ts'

/** Tags or referrers of one repository that are listed, at most. */
const LISTED = 10_000

/** Reason why the upstream registry could not be asked. */
export interface UpstreamFailure {
  readonly reason: unknown
}

/** Result of {@link Upstream.ensureManifest}. */
export interface EnsuredManifest {
  /** Target of the tag, from the upstream registry or from its last look-up. */
  readonly descriptor?: Descriptor
  /** Set if the answer comes from an earlier look-up, because the registry could not be asked. */
  readonly failure?: UpstreamFailure
}

/** List of the upstream registry, or the reason why it could not be asked. */
export type UpstreamList<T> = { readonly items: readonly T[] } | { readonly failure: UpstreamFailure }

/** Mirrors another registry: fetches what the store lacks, each manifest and blob once for all requests. */
export class Upstream {
  readonly #store: Store
  readonly #registry: string
  readonly #client: RegistryClient
  readonly #tagMaxAgeMs: number
  readonly #maxFetches: number
  readonly #known: KnownTags
  readonly #isVerifying: boolean
  readonly #verified: VerifiedManifests
  readonly #names: PendingNames
  readonly #blobs: UpstreamBlobs
  readonly #breaker = new CircuitBreaker()
  readonly #running = new Map<string, Promise<void>>()
  readonly #closing = new AbortController()

  /** `onError` is called with each failure that no request waits for. */
  constructor(
    store: Store,
    { registry, client, tagMaxAgeMs, maxFetches, verify }: RegistryUpstream,
    onError: (error: unknown) => void,
  ) {
    const { signal } = this.#closing
    this.#store = store
    this.#registry = canonical(registry)
    this.#client = client
    this.#tagMaxAgeMs = tagMaxAgeMs ?? 60_000
    this.#maxFetches = maxFetches ?? 256
    this.#isVerifying = verify !== undefined
    this.#known = new KnownTags(store, { areVerified: this.#isVerifying })
    this.#verified = new VerifiedManifests(client, verify)
    this.#names = new PendingNames(store, onError)
    this.#blobs = new UpstreamBlobs({
      ...{ store, client, onError },
      names: this.#names,
      maxFetches: this.#maxFetches,
      closing: signal,
    })
  }

  /** Whether a namespace (`ns`) is the mirrored registry. */
  mirrors(namespace: string): boolean {
    return canonicalOrNone(namespace) === this.#registry
  }

  /** Blobs of the upstream registry. */
  get blobs(): UpstreamBlobs {
    return this.#blobs
  }

  /** Fetches a manifest if the store lacks it, and resolves its tag. */
  async ensureManifest(
    { repository, reference }: { readonly repository: string; readonly reference: string },
    signal: AbortSignal,
  ): Promise<EnsuredManifest> {
    if (isDigest(reference)) {
      const name = `${repository}@${reference}`
      if (!(await this.#store.stat(reference, { signal }))) {
        await this.#once(name, () => this.#fetchManifest(repository, reference), signal).catch(rethrow)
      } else if (!this.#verified.hasLearned(repository, reference)) {
        // The store serves the manifest in any case; if this fails, images below it may be refused.
        await this.#once(`below ${name}`, () => this.#learnStored(repository, reference), signal).catch(() => {
          signal.throwIfAborted()
        })
      }
      return {}
    }
    const name = `${repository}:${reference}`
    const fresh = this.#known.fresh(name, this.#tagMaxAgeMs)
    if (fresh && (await this.#store.stat(fresh.digest, { signal }))) return { descriptor: fresh }
    try {
      await this.#once(name, () => this.#breaker.guard(() => this.#lookUp(repository, reference)), signal)
    } catch (error) {
      signal.throwIfAborted()
      return this.#lastKnown(repository, reference, error, signal)
    }
    const descriptor = await this.#known.last(name)
    return descriptor ? { descriptor } : {}
  }

  async #lastKnown(repository: string, tag: string, reason: unknown, signal: AbortSignal): Promise<EnsuredManifest> {
    const name = `${repository}:${tag}`
    if (isUpstreamAbsence(reason) || isPolicyRefusal(reason)) {
      await this.#known.forget(name)
      throw upstreamFault(reason)
    }
    const last = await this.#known.last(name)
    if (last && (await this.#store.stat(last.digest, { signal }))) return { descriptor: last, failure: { reason } }
    // SAFETY: a name of the store may be older than the policy.
    if (!this.#isVerifying && (await findTag(this.#store, repository, tag, signal))) return { failure: { reason } }
    throw upstreamFault(reason)
  }

  /** Looks a tag up in the upstream registry. */
  async #lookUp(repository: string, tag: string): Promise<void> {
    const { signal } = this.#closing
    const name = `${repository}:${tag}`
    const found = await this.#client.resolve({ ...locate(repository), tag }, { signal })
    const descriptor =
      (await this.#stored(found, { repository, tag })) ?? (await this.#fetchManifest(repository, found.digest, tag))
    await this.#known.learn(name, descriptor)
    await this.#names.assign(name, descriptor)
  }

  /**
   * Descriptor of a stored manifest, if it matches the answer of the upstream registry.
   *
   * SAFETY: the upstream registry may answer HEAD with the digest of any blob of the store (a layer, a page of HTML).
   * Without this check the blob would be served as a manifest, with a media type chosen by that registry.
   */
  async #stored(
    said: Descriptor,
    { repository, tag }: { readonly repository: string; readonly tag: string },
  ): Promise<Descriptor | undefined> {
    const { signal } = this.#closing
    const here = await findManifest(this.#store, { digest: said.digest }, signal)
    if (here?.descriptor.mediaType !== said.mediaType) return undefined
    const document = parseImageDocument(here.bytes, said.mediaType)
    await this.#verified.check({ ...here, repository, tag, document }, { signal })
    return here.descriptor
  }

  async #learnStored(repository: string, digest: Digest): Promise<void> {
    const { signal } = this.#closing
    const here = await findManifest(this.#store, { digest }, signal)
    if (!here) return
    const document = parseImageDocument(here.bytes, here.descriptor.mediaType)
    await this.#breaker.guard(() => this.#verified.learn({ ...here, repository, document }, { signal }))
  }

  async #fetchManifest(repository: string, digest: Digest, tag?: string): Promise<Descriptor> {
    const { signal } = this.#closing
    const { descriptor, bytes } = await this.#client.fetchManifest({ ...locate(repository), digest }, { signal })
    const document = parseAnnounced(bytes, descriptor.mediaType)
    await this.#verified.check({ repository, tag, descriptor, bytes, document }, { signal })
    await this.#store.put(bytes, { digest, size: bytes.byteLength, signal })
    this.#blobs.learnSizes(repository, document)
    await this.#names.retry(repository)
    return { mediaType: document.mediaType, digest, size: bytes.byteLength }
  }

  /** Tags of a repository, as listed by the upstream registry. */
  async tags({ repository }: RepositoryNames, signal: AbortSignal): Promise<UpstreamList<string>> {
    return this.#list(this.#client.listTags(locate(repository), { signal }), signal)
  }

  /** Referrers of a manifest, as listed by the upstream registry. */
  async referrers(
    { repository }: RepositoryNames,
    digest: Digest,
    signal: AbortSignal,
  ): Promise<UpstreamList<Descriptor>> {
    return this.#list(this.#client.listReferrers(locate(repository), digest, { signal }), signal)
  }

  async #list<T>(all: AsyncIterable<T>, signal: AbortSignal): Promise<UpstreamList<T>> {
    const items: T[] = []
    try {
      await this.#breaker.guard(async () => {
        for await (const item of all) {
          if (items.push(item) === LISTED) break
        }
      })
    } catch (reason) {
      signal.throwIfAborted()
      if (!isUpstreamAbsence(reason)) return { failure: { reason } }
    }
    return { items }
  }

  /**
   * Single-flight: concurrent calls with one key share one run. They share its failure, too, so that they do not queue
   * up behind a failing registry.
   */
  async #once(key: string, work: () => Promise<unknown>, signal: AbortSignal): Promise<void> {
    let running = this.#running.get(key)
    if (!running) {
      assertMayFetch(this.#running.size, this.#maxFetches)
      running = work().then(() => {})
      this.#running.set(key, running)
      running.finally(() => this.#running.delete(key)).catch(() => {})
    }
    await abortable(running, signal)
  }

  /** Aborts all fetches and waits until they have ended. */
  async close(): Promise<void> {
    this.#closing.abort()
    await Promise.allSettled([...this.#running.values(), this.#blobs.settled()])
  }
}

function rethrow(error: unknown): never {
  throw upstreamFault(error)
}

function canonical(registry: string): string {
  return parseReference(`${registry}/x`).registry
}

function canonicalOrNone(registry: string): string | undefined {
  try {
    return canonical(registry)
  } catch (error) {
    if (error instanceof FormatError) return undefined
    throw error
  }
}
