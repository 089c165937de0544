import { type Digest, isDigest } from '../../digest/index.ts'
import { FormatError } from '../../errors/index.ts'
import { abortable } from '../../internal/abort.ts'
import type { RegistryClient } from '../../registry/index.ts'
import { type Descriptor, parseReference } from '../../spec/index.ts'
import type { Store } from '../../store/index.ts'
import { findTag, locate, type RepositoryNames } from '../served-names.ts'
import { KnownTags } from './known-tags.ts'
import { UpstreamBlobs } from './upstream-blobs.ts'
import { saysNo, upstreamFault } from './upstream-fault.ts'
import type { RegistryUpstream } from './upstream-options.ts'
import { WaitingNames } from './waiting-names.ts'

/** After a failure the upstream registry is left alone for so long, and what is known is served. */
const REST_MS = 5000
/** So many tags or referrers of one repository are listed. */
const LISTED = 10_000

/** Brings what the store lacks from another registry, each thing once however many ask for it. */
export class Upstream {
  readonly #store: Store
  readonly #registry: string
  readonly #client: RegistryClient
  readonly #tagMaxAgeMs: number
  readonly #known: KnownTags
  readonly #names: WaitingNames
  readonly #blobs: UpstreamBlobs
  readonly #running = new Map<string, Promise<void>>()
  readonly #closing = new AbortController()
  #rest: { readonly until: number; readonly because: unknown } | undefined

  constructor(store: Store, { registry, client, tagMaxAgeMs }: RegistryUpstream) {
    this.#store = store
    this.#registry = canonical(registry)
    this.#client = client
    this.#tagMaxAgeMs = tagMaxAgeMs ?? 60_000
    this.#known = new KnownTags(store)
    this.#names = new WaitingNames(store)
    this.#blobs = new UpstreamBlobs(store, client, this.#names, this.#closing.signal)
  }

  /** Whether this is the registry that a client means, if it says which. */
  standsFor(ns: string | null): boolean {
    return ns === null || canonicalOrNone(ns) === this.#registry
  }

  /** Blobs of the upstream registry. */
  get blobs(): UpstreamBlobs {
    return this.#blobs
  }

  /**
   * Brings a manifest that is to be served, if it can, and says what a tag stands for. `isStale` if the upstream registry
   * did not answer, and what was known of it before has to do.
   */
  async bringManifest(
    { repository, reference }: { readonly repository: string; readonly reference: string },
    signal: AbortSignal,
  ): Promise<{ readonly descriptor?: Descriptor; readonly isStale: boolean }> {
    if (isDigest(reference)) {
      if (!(await this.#store.stat(reference, { signal }))) {
        const name = `${repository}@${reference}`
        await this.#once(name, () => this.#fetchManifest(repository, reference), signal).catch(rethrow)
      }
      return { isStale: false }
    }
    const name = `${repository}:${reference}`
    const fresh = this.#known.fresh(name, this.#tagMaxAgeMs)
    if (fresh && (await this.#store.stat(fresh.digest, { signal }))) return { descriptor: fresh, isStale: false }
    try {
      if (this.#rest && performance.now() < this.#rest.until) throw this.#rest.because
      await this.#once(name, () => this.#lookUp(name), signal)
    } catch (error) {
      signal.throwIfAborted()
      return this.#lastKnown(repository, reference, error, signal)
    }
    const descriptor = await this.#known.last(name)
    return { ...(descriptor ? { descriptor } : {}), isStale: false }
  }

  async #lastKnown(repository: string, tag: string, error: unknown, signal: AbortSignal) {
    const name = `${repository}:${tag}`
    if (saysNo(error)) {
      await this.#known.forget(name)
      throw upstreamFault(error)
    }
    const last = await this.#known.last(name)
    if (last && (await this.#store.stat(last.digest, { signal }))) return { descriptor: last, isStale: true }
    if (await findTag(this.#store, repository, tag, signal)) return { isStale: true }
    throw upstreamFault(error)
  }

  /** Finds out what a tag stands for now. */
  async #lookUp(name: string): Promise<void> {
    const { signal } = this.#closing
    const { registry, repository, ...which } = parseReference(name)
    try {
      const found = await this.#client.resolve({ registry, repository, ...which }, { signal })
      const isHere = (await this.#store.stat(found.digest, { signal }))?.size === found.size
      const descriptor = isHere ? found : await this.#fetchManifest(name.slice(0, name.lastIndexOf(':')), found.digest)
      await this.#known.learn(name, descriptor)
      await this.#names.want(name, descriptor)
    } catch (error) {
      if (!saysNo(error)) this.#rest = { until: performance.now() + REST_MS, because: error }
      throw error
    }
  }

  async #fetchManifest(repository: string, digest: Digest): Promise<Descriptor> {
    const { signal } = this.#closing
    const { descriptor, bytes } = await this.#client.fetchManifest({ ...locate(repository), digest }, { signal })
    await this.#store.put(bytes, { digest, size: descriptor.size, signal })
    this.#blobs.learnSizes(bytes, descriptor.mediaType)
    await this.#names.retry(repository)
    return descriptor
  }

  /** The tags of a repository; those that are known here, if it does not answer. */
  async tags({ repository }: RepositoryNames, signal: AbortSignal): Promise<readonly string[]> {
    return this.#list(this.#client.listTags(locate(repository), { signal }), signal)
  }

  /** What refers to a manifest; what is known here, if it does not answer. */
  async referrers(
    { repository }: RepositoryNames,
    digest: Digest,
    signal: AbortSignal,
  ): Promise<readonly Descriptor[]> {
    return this.#list(this.#client.referrers(locate(repository), digest, { signal }), signal)
  }

  async #list<T>(items: AsyncIterable<T>, signal: AbortSignal): Promise<T[]> {
    const listed: T[] = []
    try {
      for await (const item of items) {
        if (listed.push(item) === LISTED) break
      }
    } catch {
      signal.throwIfAborted()
    }
    return listed
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
