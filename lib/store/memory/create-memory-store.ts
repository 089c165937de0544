import { createStreamDigester, type Digest, type HasherEngine, parseDigest, splitDigest } from '../../digest/index.ts'
import { BlobNotFoundError, StoreError } from '../../errors/index.ts'
import type { AbortOptions } from '../../internal/abort.ts'
import { assertOneOf, assertOptions } from '../../internal/assert-kind.ts'
import { type ByteSource, keepFault } from '../../internal/byte-source.ts'
import { KeyedMutex } from '../../internal/concurrency/keyed-mutex.ts'
import type {
  BlobInfo,
  BlobWriter,
  IngestInfo,
  IngestOptions,
  PutOptions,
  ReadBlobOptions,
  VerifyPolicy,
} from '../blob-store.ts'
import { acquireIngestKey, checkIngestKey } from '../drivers/ingest-key.ts'
import { IngestWriter } from '../drivers/ingest-writer.ts'
import { putThrough } from '../drivers/put-through.ts'
import { checkRange, rangeOf } from '../drivers/read-range.ts'
import type { StoreDriver } from '../drivers/store-driver.ts'
import { verifyStored } from '../drivers/verify-stored.ts'
import { MemoryLeases } from '../leases/memory-leases.ts'
import type { Store } from '../store.ts'
import { type MemoryBlob, MemoryCollection } from './memory-collection.ts'
import { MemoryDerived } from './memory-derived.ts'
import { MemoryReferences } from './memory-references.ts'
import { MemorySink, type PartialBlob, resumePartial } from './memory-sink.ts'

/** Options of a memory store. */
export interface MemoryStoreOptions {
  /** Hash engine. @defaultValue `'wasm'` */
  readonly hasher?: HasherEngine | undefined
  /** Verification policy of reads. @defaultValue `'always'` */
  readonly verify?: VerifyPolicy | undefined
}

/** Bytes per chunk; the same as in the disk store, so that callers see the same chunks. */
const PIECE = 512 * 1024

/**
 * Creates a store in memory, for tests and for images that only pass through.
 *
 * @example
 * ```ts
 * await using store = createMemoryStore()
 * await pullImage(registry, store, 'node:22-slim')
 * ```
 *
 * @throws {@link FormatError} `ERR_INVALID_ARGUMENT` for an invalid option.
 */
export function createMemoryStore(options: MemoryStoreOptions = {}): Store {
  assertOptions(options)
  assertOneOf('hasher', options.hasher ?? 'wasm', ['wasm', 'native'])
  assertOneOf('verify', options.verify ?? 'always', ['always', 'once-per-process', 'never'])
  return new MemoryStore(options)
}

class MemoryStore implements StoreDriver {
  readonly references: MemoryReferences = new MemoryReferences(this, {
    assertOpen: () => this.#assertOpen(),
    removals: () => this.#removals,
  })
  readonly derived: MemoryDerived = new MemoryDerived(() => this.#assertOpen())
  readonly leases: MemoryLeases = new MemoryLeases(digest => this.#acknowledge(digest))
  readonly collection: MemoryCollection
  readonly #hasher: HasherEngine
  readonly #verify: VerifyPolicy
  readonly #blobs = new Map<Digest, MemoryBlob>()
  readonly #verified = new Set<Digest>()
  readonly #partial = new Map<string, PartialBlob>()
  readonly #ingests = new KeyedMutex()
  readonly #writers = new Set<BlobWriter>()
  #open = true
  #removals = 0

  constructor(options: MemoryStoreOptions) {
    this.#hasher = options.hasher ?? 'wasm'
    this.#verify = options.verify ?? 'always'
    this.collection = new MemoryCollection({
      blobs: this.#blobs,
      partial: this.#partial,
      references: this.references,
      leases: this.leases,
      derived: this.derived,
      remove: digest => this.#remove(digest),
    })
  }

  async stat(digest: Digest, options: AbortOptions = {}): Promise<BlobInfo | undefined> {
    this.#assertOpen()
    options.signal?.throwIfAborted()
    const blob = this.#blobs.get(parseDigest(digest))
    return blob && { digest, size: blob.bytes.byteLength }
  }

  async *read(digest: Digest, options: ReadBlobOptions = {}): AsyncGenerator<Uint8Array, void, undefined> {
    this.#assertOpen()
    options.signal?.throwIfAborted()
    checkRange(options)
    const bytes = this.#blobs.get(parseDigest(digest))?.bytes
    if (!bytes) throw new BlobNotFoundError(digest)
    const range = rangeOf(options, bytes.byteLength)
    const pieces = piecesOf(bytes, range.start, range.end, options.signal)
    const policy = options.verify ?? this.#verify
    if (!range.whole || policy === 'never' || (policy !== 'always' && this.#verified.has(digest))) return yield* pieces
    yield* verifyStored(pieces, { digest, size: bytes.byteLength }, this.#hasher)
    this.#verified.add(digest)
  }

  async put(source: ByteSource, options: PutOptions = {}): Promise<BlobInfo> {
    keepFault(source)
    this.#assertOpen()
    const there = options.digest && (await this.stat(options.digest, options))
    if (there && (options.size === undefined || options.size === there.size)) {
      if (this.#acknowledge(there.digest)) return there
    }
    const algorithm = options.digest ? splitDigest(options.digest).algorithm : 'sha256'
    const writer = await this.#openWriter(undefined, { hasher: options.hasher, algorithm })
    return putThrough(writer, source, options)
  }

  async ingest(key: string, options: IngestOptions = {}): Promise<BlobWriter> {
    this.#assertOpen()
    options.signal?.throwIfAborted()
    checkIngestKey(key)
    const release = await acquireIngestKey(this.#ingests, key, options)
    try {
      this.#assertOpen()
      return await this.#openWriter(key, options, release)
    } catch (error) {
      release()
      throw error
    }
  }

  async statIngest(key: string, options: Omit<IngestOptions, 'wait' | 'hasher'> = {}): Promise<IngestInfo | undefined> {
    this.#assertOpen()
    options.signal?.throwIfAborted()
    const busy = this.#ingests.isHeld(key)
    const kept = this.#partial.get(key)
    const chunks = kept?.algorithm === (options.algorithm ?? 'sha256') ? kept.chunks : []
    const offset = chunks.reduce((sum, chunk) => sum + chunk.byteLength, 0)
    return busy || offset > 0 ? { offset, busy } : undefined
  }

  async #openWriter(key: string | undefined, options: IngestOptions, release?: () => void): Promise<BlobWriter> {
    const algorithm = options.algorithm ?? 'sha256'
    const hasher = options.hasher ?? this.#hasher
    const kept = key === undefined ? undefined : this.#partial.get(key)
    const hashing = { algorithm, hasher }
    const digester = await (kept ? resumePartial(kept, hashing) : createStreamDigester(hashing))
    const sink = new MemorySink(kept?.chunks ?? [], {
      publish: (blob, bytes) => {
        if (!this.#acknowledge(blob.digest)) this.#blobs.set(blob.digest, { bytes, modifiedMs: Date.now() })
      },
      keep: (chunks, { checkpoint }) => key && this.#partial.set(key, { algorithm, chunks, checkpoint }),
      forget: () => key && this.#partial.delete(key),
    })
    const onClosed = () => {
      this.#writers.delete(writer)
      release?.()
    }
    const writer = new IngestWriter({ sink, digester, algorithm, hasher, onClosed })
    this.#writers.add(writer)
    return writer
  }

  async delete(digest: Digest, options: AbortOptions = {}): Promise<void> {
    this.#assertOpen()
    options.signal?.throwIfAborted()
    this.#remove(parseDigest(digest))
  }

  #remove(digest: Digest): void {
    this.#removals++
    this.#blobs.delete(digest)
    this.#verified.delete(digest)
  }

  #acknowledge(digest: Digest): boolean {
    this.#assertOpen()
    const blob = this.#blobs.get(digest)
    // Always a new value: a collection detects the acknowledgement by the changed time.
    if (blob) blob.modifiedMs = Math.max(Date.now(), blob.modifiedMs + 0.001)
    return blob !== undefined
  }

  async *list(options: AbortOptions = {}): AsyncGenerator<BlobInfo, void, undefined> {
    this.#assertOpen()
    for (const [digest, { bytes }] of this.#blobs) {
      options.signal?.throwIfAborted()
      yield { digest, size: bytes.byteLength }
    }
  }

  async close(): Promise<void> {
    this.#open = false
    await Promise.all([...this.#writers].map(writer => writer[Symbol.asyncDispose]()))
    this.#blobs.clear()
    this.#partial.clear()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  #assertOpen(): void {
    if (!this.#open) throw new StoreError('ERR_STORE_CLOSED', 'this store has been closed')
  }
}

function* piecesOf(bytes: Uint8Array, start: number, end: number, signal: AbortSignal | undefined) {
  for (let i = start; i < end; i += PIECE) {
    signal?.throwIfAborted()
    // SAFETY: a reader that writes into its chunk would change the stored blob; each chunk is a copy.
    yield Uint8Array.prototype.slice.call(bytes, i, Math.min(end, i + PIECE))
  }
}
