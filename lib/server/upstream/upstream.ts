import { type Digest, isDigest } from '../../digest/index.ts'
import { FormatError } from '../../errors/index.ts'
import { abortable } from '../../internal/abort.ts'
import type { RegistryClient } from '../../registry/index.ts'
import { type Descriptor, parseReference } from '../../spec/index.ts'
import type { Store } from '../../store/index.ts'
import { findTag } from '../lists/find-tag.ts'
import { findManifest, parseAnnounced } from '../manifests/proven-document.ts'
import { locate, type RepositoryNames } from '../served-names.ts'
import { CircuitBreaker } from './circuit-breaker.ts'
import { KnownTags } from './known-tags.ts'
import { UpstreamBlobs } from './upstream-blobs.ts'
import { saysNo, upstreamFault } from './upstream-fault.ts'
import type { RegistryUpstream } from './upstream-options.ts'
import { WaitingNames } from './waiting-names.ts'

/** So many tags or referrers of one repository are listed. */
const LISTED = 10_000

/** Why the upstream registry could not be asked. */
export interface UpstreamFailure {
  readonly reason: unknown
}

/** What is known of a manifest that is to be served. */
export interface BroughtManifest {
  /** What the tag stands for, if the upstream registry or the memory of it says so. */
  readonly descriptor?: Descriptor
  /** There if what was known before has to do. */
  readonly failure?: UpstreamFailure
}

/** A list of the upstream registry, or why there is none. */
export type UpstreamList<T> = { readonly items: readonly T[] } | { readonly failure: UpstreamFailure }

/** Brings what the store lacks from another registry, each thing once however many ask for it. */
export class Upstream {
  readonly #store: Store
  readonly #registry: string
  readonly #client: RegistryClient
  readonly #tagMaxAgeMs: number
  readonly #known: KnownTags
  readonly #names: WaitingNames
  readonly #blobs: UpstreamBlobs
  readonly #breaker = new CircuitBreaker()
  readonly #running = new Map<string, Promise<void>>()
  readonly #closing = new AbortController()

  /** `onError` takes what fails when no request waits for it. */
  constructor(store: Store, { registry, client, tagMaxAgeMs }: RegistryUpstream, onError: (error: unknown) => void) {
    const { signal } = this.#closing
    this.#store = store
    this.#registry = canonical(registry)
    this.#client = client
    this.#tagMaxAgeMs = tagMaxAgeMs ?? 60_000
    this.#known = new KnownTags(store)
    this.#names = new WaitingNames(store, onError)
    this.#blobs = new UpstreamBlobs({ store, client, names: this.#names, closing: signal, onError })
  }

  /** Whether this is the registry that a client means. */
  standsFor(namespace: string): boolean {
    return canonicalOrNone(namespace) === this.#registry
  }

  /** Blobs of the upstream registry. */
  get blobs(): UpstreamBlobs {
    return this.#blobs
  }

  /** Brings a manifest that is to be served, if it can, and says what a tag stands for. */
  async bringManifest(
    { repository, reference }: { readonly repository: string; readonly reference: string },
    signal: AbortSignal,
  ): Promise<BroughtManifest> {
    if (isDigest(reference)) {
      if (!(await this.#store.stat(reference, { signal }))) {
        const name = `${repository}@${reference}`
        await this.#once(name, () => this.#fetchManifest(repository, reference), signal).catch(rethrow)
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

  async #lastKnown(repository: string, tag: string, reason: unknown, signal: AbortSignal): Promise<BroughtManifest> {
    const name = `${repository}:${tag}`
    if (saysNo(reason)) {
      await this.#known.forget(name)
      throw upstreamFault(reason)
    }
    const last = await this.#known.last(name)
    if (last && (await this.#store.stat(last.digest, { signal }))) return { descriptor: last, failure: { reason } }
    if (await findTag(this.#store, repository, tag, signal)) return { failure: { reason } }
    throw upstreamFault(reason)
  }

  /** Finds out what a tag stands for now. */
  async #lookUp(repository: string, tag: string): Promise<void> {
    const { signal } = this.#closing
    const name = `${repository}:${tag}`
    const found = await this.#client.resolve({ ...locate(repository), tag }, { signal })
    const descriptor = (await this.#stored(found)) ?? (await this.#fetchManifest(repository, found.digest))
    await this.#known.learn(name, descriptor)
    await this.#names.want(name, descriptor)
  }

  /**
   * What the store has under a digest, if it is what the upstream registry says it is.
   *
   * SAFETY: an upstream registry that answers HEAD with the digest of any blob of the store (a layer, a page of HTML) would
   * make a manifest of it, under a media type of its choice.
   */
  async #stored(said: Descriptor): Promise<Descriptor | undefined> {
    const here = await findManifest(this.#store, { digest: said.digest }, this.#closing.signal)
    return here?.descriptor.mediaType === said.mediaType ? here.descriptor : undefined
  }

  async #fetchManifest(repository: string, digest: Digest): Promise<Descriptor> {
    const { signal } = this.#closing
    const { descriptor, bytes } = await this.#client.fetchManifest({ ...locate(repository), digest }, { signal })
    const document = parseAnnounced(bytes, descriptor.mediaType)
    await this.#store.put(bytes, { digest, size: bytes.byteLength, signal })
    this.#blobs.learnSizes(repository, document)
    await this.#names.retry(repository)
    return { mediaType: document.mediaType, digest, size: bytes.byteLength }
  }

  /** The tags of a repository, as the upstream registry lists them. */
  async tags({ repository }: RepositoryNames, signal: AbortSignal): Promise<UpstreamList<string>> {
    return this.#list(this.#client.listTags(locate(repository), { signal }), signal)
  }

  /** What refers to a manifest, as the upstream registry lists it. */
  async referrers(
    { repository }: RepositoryNames,
    digest: Digest,
    signal: AbortSignal,
  ): Promise<UpstreamList<Descriptor>> {
    return this.#list(this.#client.referrers(locate(repository), digest, { signal }), signal)
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
      if (!saysNo(reason)) return { failure: { reason } }
    }
    return { items }
  }

  /** Lets one do the work for all who want it now; they also share its failure, so that nobody queues up behind it. */
  #once(key: string, work: () => Promise<unknown>, signal: AbortSignal): Promise<void> {
    let running = this.#running.get(key)
    if (!running) {
      running = work().then(() => {})
      this.#running.set(key, running)
      running.finally(() => this.#running.delete(key)).catch(() => {})
    }
    return abortable(running, signal)
  }

  /** Stops what is being fetched. */
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
