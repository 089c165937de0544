import { LRUCache } from 'lru-cache'
import type { Digest } from '../../digest/index.ts'
import { DigestMismatchError, RegistryError } from '../../errors/index.ts'
import { abortable } from '../../internal/abort.ts'
import type { RegistryClient } from '../../registry/index.ts'
import { type ImageDocument, successorsOf } from '../../spec/index.ts'
import { recordBlobSource, type Store } from '../../store/index.ts'
import { locate } from '../served-names.ts'
import { BlobFlight } from './blob-flight.ts'
import { upstreamFault } from './upstream-fault.ts'
import type { WaitingNames } from './waiting-names.ts'

/** Sizes of blobs that were named in manifests lately, so that the upstream registry need not be asked for them. */
const SIZES = 10_000

/** What the blobs of the upstream registry are fetched with. */
export interface UpstreamBlobsParts {
  readonly store: Store
  readonly client: RegistryClient
  readonly names: WaitingNames
  /** Fires when the server closes. */
  readonly closing: AbortSignal
  /** Takes what fails when no request waits for it. */
  readonly onError: (error: unknown) => void
}

/** A blob that is on its way. */
export interface RemoteBlob {
  readonly size: number
  readonly bytes: AsyncIterable<Uint8Array>
}

/**
 * Brings blobs from another registry, each once however many ask for it.
 *
 * SAFETY: what one repository says is believed for that repository alone. A manifest of another one may name the same blob
 * with a wrong size; it must not decide what clients of this one get.
 */
export class UpstreamBlobs {
  readonly #parts: UpstreamBlobsParts
  /** By repository and digest. Only a hint for fetches, which prove it. */
  readonly #sizes = new LRUCache<string, number>({ max: SIZES })
  /** By repository and digest. Two fetches of one blob for two repositories wait for each other in the store. */
  readonly #flights = new Map<string, BlobFlight>()
  readonly #unsettled = new Set<Promise<void>>()

  constructor(parts: UpstreamBlobsParts) {
    this.#parts = parts
  }

  /** Remembers what a manifest of a repository says of blobs that will be asked for next. */
  learnSizes(repository: string, document: ImageDocument): void {
    for (const { digest, size } of successorsOf(document)) this.#sizes.set(keyOf(repository, digest), size)
  }

  /** Size of a blob, as the upstream registry says it now; `undefined` if it has none. */
  async stat(repository: string, digest: Digest, signal: AbortSignal): Promise<number | undefined> {
    try {
      return (await this.#parts.client.statBlob(locate(repository), digest, { signal }))?.size
    } catch (error) {
      signal.throwIfAborted()
      throw upstreamFault(error)
    }
  }

  /**
   * A blob and its bytes, of which the first have come: while they come for the request that asks first, from the store for
   * those that ask meanwhile. `undefined` if the upstream registry has no such blob.
   */
  open(repository: string, digest: Digest, signal: AbortSignal): Promise<RemoteBlob | undefined> {
    return this.#withSize(repository, digest, signal, async size => {
      const chunks = this.#read(repository, { digest, size }, signal)
      const first = await chunks.next()
      return { size, bytes: withFirst(first, chunks) }
    })
  }

  /** Brings a blob into the store; `false` if the upstream registry has no such blob. */
  async bring(repository: string, digest: Digest, signal: AbortSignal): Promise<boolean> {
    const brought = await this.#withSize(repository, digest, signal, async size => {
      await abortable(this.#flight(repository, { digest, size }, undefined).done, signal)
      return true
    })
    return brought ?? false
  }

  /** Tries with the size that a manifest told; if that was wrong, and otherwise, with the one that the registry tells. */
  async #withSize<T>(
    repository: string,
    digest: Digest,
    signal: AbortSignal,
    work: (size: number) => Promise<T>,
  ): Promise<T | undefined> {
    try {
      const learned = this.#sizes.get(keyOf(repository, digest))
      if (learned !== undefined) {
        try {
          return await work(learned)
        } catch (error) {
          // The registry has failed, and would fail again; everything else may be the fault of the size.
          if (signal.aborted || error instanceof RegistryError) throw error
        }
      }
      const size = await this.stat(repository, digest, signal)
      return size === undefined ? undefined : await work(size)
    } catch (error) {
      signal.throwIfAborted()
      throw upstreamFault(error)
    }
  }

  async *#read(
    repository: string,
    blob: { readonly digest: Digest; readonly size: number },
    signal: AbortSignal,
  ): AsyncGenerator<Uint8Array, void, undefined> {
    const before = this.#flights.get(keyOf(repository, blob.digest))
    const flight = this.#flight(repository, blob, signal)
    if (flight !== before) return yield* flight.bytes()
    await abortable(flight.done, signal)
    yield* this.#parts.store.read(blob.digest, { signal })
  }

  /** The fetch of a blob that is under way, or a new one, which `client` may read along until it fires. */
  #flight(
    repository: string,
    { digest, size }: { readonly digest: Digest; readonly size: number },
    client: AbortSignal | undefined,
  ): BlobFlight {
    const key = keyOf(repository, digest)
    const running = this.#flights.get(key)
    if (running?.size === size) return running
    const { store, client: registry, closing } = this.#parts
    const descriptor = { mediaType: 'application/octet-stream', digest, size }
    const open = (offset: number) => registry.fetchBlob(locate(repository), descriptor, { offset, signal: closing })
    const flight = new BlobFlight({ store, descriptor, open, signal: closing }, client)
    this.#flights.set(key, flight)
    const settled = this.#afterwards(flight, repository, digest, client)
    this.#unsettled.add(settled)
    void settled.finally(() => this.#unsettled.delete(settled))
    return flight
  }

  async #afterwards(
    flight: BlobFlight,
    repository: string,
    digest: Digest,
    asked: AbortSignal | undefined,
  ): Promise<void> {
    const { store, client, names, closing, onError } = this.#parts
    const from = locate(repository)
    const key = keyOf(repository, digest)
    try {
      await flight.done
    } catch (error) {
      this.#sizes.delete(key)
      // Another source may have it right.
      if (error instanceof DigestMismatchError) client.distrustBlob(from, digest)
      if (asked?.aborted && !closing.aborted) onError(error)
      return
    } finally {
      if (this.#flights.get(key) === flight) this.#flights.delete(key)
    }
    await recordBlobSource(store, digest, from).catch(onError)
    await names.retry(repository)
  }

  /** Resolves when nothing is being fetched any more, and what came is booked. */
  async settled(): Promise<void> {
    await Promise.all(this.#unsettled)
  }
}

function keyOf(repository: string, digest: Digest): string {
  return `${repository}@${digest}`
}

async function* withFirst(
  first: IteratorResult<Uint8Array, void>,
  rest: AsyncGenerator<Uint8Array, void, undefined>,
): AsyncGenerator<Uint8Array, void, undefined> {
  try {
    if (!first.done) yield first.value
    yield* rest
  } finally {
    await rest.return()
  }
}
