import { LRUCache } from 'lru-cache'
import type { Digest } from '../../digest/index.ts'
import { DigestMismatchError, RegistryError } from '../../errors/index.ts'
import { abortable } from '../../internal/abort.ts'
import { type ImageDocument, successorsOf } from '../../oci/index.ts'
import type { RegistryClient } from '../../registry/index.ts'
import { recordKnownSource, type Store } from '../../store/index.ts'
import { Fault } from '../fault.ts'
import { locate } from '../served-names.ts'
import { BlobFlight } from './blob-flight.ts'
import type { PendingNames } from './pending-names.ts'
import { assertMayFetch, upstreamFault } from './upstream-fault.ts'

/** Blob sizes that are remembered from manifests; they save a HEAD request to the upstream registry. */
const SIZES = 10_000

/** Parts of {@link UpstreamBlobs}. */
export interface UpstreamBlobsParts {
  readonly store: Store
  readonly client: RegistryClient
  readonly names: PendingNames
  /** Blobs that may be fetched at once. */
  readonly maxFetches: number
  /** Fires when the server closes. */
  readonly closing: AbortSignal
  /** Called with each failure that no request waits for. */
  readonly onError: (error: unknown) => void
}

/** Blob that is being fetched. */
export interface UpstreamBlob {
  readonly size: number
  readonly bytes: AsyncIterable<Uint8Array>
}

/**
 * Fetches blobs from the upstream registry, each once for all requests (single-flight).
 *
 * SAFETY: a manifest of one repository may give a wrong size for a blob of another one. If sizes were shared, it would
 * break the answers of the other repository; so they are kept by repository.
 */
export class UpstreamBlobs {
  readonly #parts: UpstreamBlobsParts
  /** Sizes by repository and digest: hints for fetches, which verify them. */
  readonly #sizes = new LRUCache<string, number>({ max: SIZES })
  /**
   * Running fetches by repository and digest. Two fetches of one blob for two repositories wait for each other at the
   * store's ingest.
   */
  readonly #flights = new Map<string, BlobFlight>()
  readonly #unsettled = new Set<Promise<void>>()

  constructor(parts: UpstreamBlobsParts) {
    this.#parts = parts
  }

  /** Remembers the blob sizes in a manifest; its blobs are usually requested next. */
  learnSizes(repository: string, document: ImageDocument): void {
    for (const { digest, size } of successorsOf(document)) this.#sizes.set(keyOf(repository, digest), size)
  }

  /** Resolves to the size of a blob by a HEAD request to the upstream registry; `undefined` if it has no such blob. */
  async stat(repository: string, digest: Digest, signal: AbortSignal): Promise<number | undefined> {
    try {
      return (await this.#parts.client.statBlob(locate(repository), digest, { signal }))?.size
    } catch (error) {
      signal.throwIfAborted()
      throw upstreamFault(error)
    }
  }

  /**
   * Resolves to a blob when its first bytes have arrived. The first request gets the bytes while they are fetched,
   * later ones from the store. `undefined` if the upstream registry has no such blob.
   */
  open(repository: string, digest: Digest, signal: AbortSignal): Promise<UpstreamBlob | undefined> {
    return this.#withSize(repository, digest, signal, async size => {
      const chunks = this.#read(repository, { digest, size }, signal)
      const first = await chunks.next()
      return { size, bytes: withFirst(first, chunks) }
    })
  }

  /** Fetches a blob into the store; `false` if the upstream registry has no such blob. */
  async ensure(repository: string, digest: Digest, signal: AbortSignal): Promise<boolean> {
    const ensured = await this.#withSize(repository, digest, signal, async size => {
      await abortable(this.#flight(repository, { digest, size }, undefined).done, signal)
      return true
    })
    return ensured ?? false
  }

  /**
   * Runs `work` with the size from a manifest. Without one, or if it was wrong, runs it with the size that HEAD gives.
   */
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
          // A registry that fails would fail again. Any other error may come from a wrong size.
          if (signal.aborted || error instanceof RegistryError || error instanceof Fault) throw error
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

  /**
   * The running fetch of a blob, or a new one, which is streamed to the request of `client` until that signal fires.
   */
  #flight(
    repository: string,
    { digest, size }: { readonly digest: Digest; readonly size: number },
    client: AbortSignal | undefined,
  ): BlobFlight {
    const key = keyOf(repository, digest)
    const running = this.#flights.get(key)
    if (running?.size === size) return running
    const { store, client: registry, closing, maxFetches } = this.#parts
    assertMayFetch(this.#flights.size, maxFetches)
    const descriptor = { mediaType: 'application/octet-stream', digest, size }
    const open = (offset: number) => registry.fetchBlob(locate(repository), descriptor, { offset, signal: closing })
    const flight = new BlobFlight({ store, descriptor, open, signal: closing }, client)
    this.#flights.set(key, flight)
    const settled = this.#recordResult(flight, repository, digest, client)
    this.#unsettled.add(settled)
    void settled.finally(() => this.#unsettled.delete(settled))
    return flight
  }

  async #recordResult(
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
      // Bytes with a wrong digest: let the client try another source of this blob next time.
      if (error instanceof DigestMismatchError) client.distrustBlob(from, digest)
      if (asked?.aborted && !closing.aborted) onError(error)
      return
    } finally {
      if (this.#flights.get(key) === flight) this.#flights.delete(key)
    }
    await recordKnownSource(store, digest, from).catch(onError)
    await names.retry(repository)
  }

  /** Resolves when all fetches have ended and their results are recorded. */
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
