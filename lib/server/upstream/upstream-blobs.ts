import { LRUCache } from 'lru-cache'
import type { Digest } from '../../digest/index.ts'
import { DigestMismatchError, FormatError } from '../../errors/index.ts'
import { abortable } from '../../internal/abort.ts'
import type { RegistryClient } from '../../registry/index.ts'
import { type Descriptor, parseImageDocument, successorsOf } from '../../spec/index.ts'
import { recordBlobSource, type Store } from '../../store/index.ts'
import { locate } from '../served-names.ts'
import { BlobFlight } from './blob-flight.ts'
import { upstreamFault } from './upstream-fault.ts'
import type { WaitingNames } from './waiting-names.ts'

/** Sizes of blobs that were named in manifests lately, so that the upstream registry need not be asked for them. */
const SIZES = 10_000

/** Brings blobs from another registry, each once however many ask for it. */
export class UpstreamBlobs {
  readonly #store: Store
  readonly #client: RegistryClient
  readonly #names: WaitingNames
  readonly #closing: AbortSignal
  readonly #sizes = new LRUCache<Digest, number>({ max: SIZES })
  readonly #flights = new Map<Digest, BlobFlight>()
  readonly #unsettled = new Set<Promise<void>>()

  constructor(store: Store, client: RegistryClient, names: WaitingNames, closing: AbortSignal) {
    this.#store = store
    this.#client = client
    this.#names = names
    this.#closing = closing
  }

  /** Remembers what a manifest says of blobs that will be asked for next. */
  learnSizes(bytes: Uint8Array, mediaType: string): void {
    try {
      for (const { digest, size } of successorsOf(parseImageDocument(bytes, mediaType))) this.#sizes.set(digest, size)
    } catch (error) {
      // Of another kind: its blobs are asked for one by one.
      if (!(error instanceof FormatError)) throw error
    }
  }

  /** Size of a blob there; `undefined` if it has none. */
  async stat(repository: string, digest: Digest, signal: AbortSignal): Promise<number | undefined> {
    const known = this.#sizes.get(digest)
    if (known !== undefined) return known
    try {
      return (await this.#client.statBlob(locate(repository), digest, { signal }))?.size
    } catch (error) {
      signal.throwIfAborted()
      throw upstreamFault(error)
    }
  }

  /** The bytes of a blob: while they come for who asks first, from the store for those who ask meanwhile. */
  async *read(
    repository: string,
    descriptor: Descriptor,
    signal: AbortSignal,
  ): AsyncGenerator<Uint8Array, void, undefined> {
    const running = this.#flights.get(descriptor.digest)
    try {
      if (running) await abortable(running.done, signal)
      else return yield* this.#start(repository, descriptor, signal).bytes()
    } catch (error) {
      signal.throwIfAborted()
      throw upstreamFault(error)
    }
    yield* this.#store.read(descriptor.digest, { signal })
  }

  /** Brings a blob into the store. */
  async bring(repository: string, descriptor: Descriptor, signal: AbortSignal): Promise<void> {
    const flight = this.#flights.get(descriptor.digest) ?? this.#start(repository, descriptor, undefined)
    try {
      await abortable(flight.done, signal)
    } catch (error) {
      signal.throwIfAborted()
      throw upstreamFault(error)
    }
  }

  #start(repository: string, descriptor: Descriptor, client: AbortSignal | undefined): BlobFlight {
    const { digest } = descriptor
    const from = locate(repository)
    const open = (offset: number) => this.#client.fetchBlob(from, descriptor, { offset, signal: this.#closing })
    const flight = new BlobFlight({ store: this.#store, descriptor, open, signal: this.#closing }, client)
    this.#flights.set(digest, flight)
    const settled = this.#afterwards(flight, repository, digest)
    this.#unsettled.add(settled)
    void settled.finally(() => this.#unsettled.delete(settled))
    return flight
  }

  async #afterwards(flight: BlobFlight, repository: string, digest: Digest): Promise<void> {
    const from = locate(repository)
    try {
      await flight.done
      await recordBlobSource(this.#store, digest, from)
      await this.#names.retry(repository)
    } catch (error) {
      // Whoever asked for the blob is told; another source may have it right.
      if (error instanceof DigestMismatchError) this.#client.distrustBlob(from, digest)
    } finally {
      this.#flights.delete(digest)
    }
  }

  /** Resolves when nothing is being fetched any more, and what came is booked. */
  async settled(): Promise<void> {
    await Promise.all(this.#unsettled)
  }
}
