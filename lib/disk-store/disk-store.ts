import { resolve } from 'node:path'
import { type Digest, type DigestAlgorithm, parseDigest, splitDigest } from '../digest/index.ts'
import type { AbortOptions } from '../internal/abort.ts'
import { type ByteSource, keepFault } from '../internal/byte-source.ts'
import { KeyedMutex } from '../internal/concurrency/keyed-mutex.ts'
import type {
  BlobInfo,
  BlobWriter,
  IngestInfo,
  IngestOptions,
  PutOptions,
  ReadBlobOptions,
  StoreDriver,
} from '../store/index.ts'
import {
  acquireIngestKey,
  checkIngestKey,
  IngestWriter,
  type IngestWriterParts,
  isSmall,
  putBytes,
  putThrough,
} from '../store/index.ts'
import { assertRoom } from './assert-room.ts'
import { settleBatches } from './batch/settle-batches.ts'
import { lendBlob } from './blobs/lend-blob.ts'
import { listBlobs } from './blobs/list-blobs.ts'
import { acknowledgeBlob } from './blobs/publish-blob.ts'
import { readBlob } from './blobs/read-blob.ts'
import { removeBlobFile } from './blobs/remove-blob-file.ts'
import { statBlobFile } from './blobs/stat-blob-file.ts'
import { VerifiedOnce } from './blobs/verified-once.ts'
import { DiskCheck } from './check/disk-check.ts'
import { DiskCollection } from './collect/disk-collection.ts'
import type { DiskContext } from './disk-context.ts'
import { DiskDerived } from './disk-derived.ts'
import { openIngest } from './ingest/open-ingest.ts'
import { PutSession } from './ingest/put-session.ts'
import { statIngest } from './ingest/stat-ingest.ts'
import { sweepIngests } from './ingest/sweep-ingests.ts'
import { DiskLeases } from './leases/disk-leases.ts'
import { DiskReferences } from './references/disk-references.ts'

const NOTHING = () => {}

/** A store in a directory; README.md describes the format. */
export class DiskStore implements StoreDriver {
  readonly references: DiskReferences
  readonly leases: DiskLeases
  readonly collection: DiskCollection
  readonly checking: DiskCheck
  readonly derived: DiskDerived
  readonly directory: string
  readonly #context: DiskContext
  readonly #verified = new VerifiedOnce()
  readonly #ingests = new KeyedMutex()
  readonly #puts: PutSession
  readonly #writers = new Set<BlobWriter>()
  readonly #smallPuts = new Set<Promise<void>>()
  readonly #stop = new AbortController()
  #sweep: Promise<void> = Promise.resolve()
  #closed: Promise<void> | undefined

  constructor(context: DiskContext) {
    this.#context = context
    this.directory = resolve(context.places.root)
    this.#puts = new PutSession(context)
    this.references = new DiskReferences(context, this)
    this.leases = new DiskLeases(context)
    this.checking = new DiskCheck(context)
    this.derived = new DiskDerived(context)
    this.collection = new DiskCollection(context, this.references)
  }

  /** Reads the names, so that an invalid index is reported at once; removes old temporary files in the background. */
  async start({ damaged }: { damaged: boolean }): Promise<void> {
    if (!damaged) await this.references.check()
    if (this.#context.settings.readOnly) return
    // A batch that cannot be settled now keeps its marker; the next process that opens the store retries.
    await settleBatches(this.#context, this.#readSuspect, this.#stop.signal).catch(() => undefined)
    this.#sweep = sweepIngests(this.#context, this.#stop.signal)
  }

  readonly #readSuspect = (digest: Digest) =>
    readBlob(this.#context, this.#verified, digest, { verify: 'always', onCorrupt: 'quarantine' })

  async stat(digest: Digest, options: AbortOptions = {}): Promise<BlobInfo | undefined> {
    this.#context.assertOpen()
    options.signal?.throwIfAborted()
    return statBlobFile(this.#context, parseDigest(digest))
  }

  async *read(digest: Digest, options: ReadBlobOptions = {}): AsyncGenerator<Uint8Array, void, undefined> {
    this.#context.assertOpen()
    yield* readBlob(this.#context, this.#verified, parseDigest(digest), options)
  }

  async *readLent(digest: Digest, options: ReadBlobOptions = {}): AsyncGenerator<Uint8Array, void, undefined> {
    this.#context.assertOpen()
    yield* lendBlob(this.#context, this.#verified, parseDigest(digest), options)
  }

  async put(source: ByteSource, options: PutOptions = {}): Promise<BlobInfo> {
    keepFault(source)
    await this.#context.prepareWrite()
    options.signal?.throwIfAborted()
    const there = options.digest && (await this.stat(options.digest, options))
    if (there && (options.size === undefined || options.size === there.size)) {
      if (await acknowledgeBlob(this.#context, there.digest)) return there
    }
    if (options.size !== undefined) await assertRoom(this.#context, options.size)
    const release = await this.#context.puts.acquire(options.signal)
    try {
      const algorithm = options.digest ? splitDigest(options.digest).algorithm : 'sha256'
      if (isSmall(source)) return await this.#putBytes(source, algorithm, options)
      const opened = await this.#puts.open(algorithm, options.hasher)
      return await putThrough(await this.#admit(opened), source, options)
    } finally {
      release()
    }
  }

  async #putBytes(source: Uint8Array, algorithm: DigestAlgorithm, options: PutOptions): Promise<BlobInfo> {
    const open = () => {
      this.#context.assertOpen()
      return this.#puts.openSink(algorithm)
    }
    const put = putBytes(open, source, { ...options, hasher: options.hasher ?? this.#context.settings.hasher })
    const done = put.then(NOTHING, NOTHING)
    this.#smallPuts.add(done)
    return put.finally(() => this.#smallPuts.delete(done))
  }

  async ingest(key: string, options: IngestOptions = {}): Promise<BlobWriter> {
    checkIngestKey(key)
    await this.#context.prepareWrite()
    options.signal?.throwIfAborted()
    const release = await acquireIngestKey(this.#ingests, key, options)
    try {
      this.#context.assertOpen()
      const writer = await this.#admit(await openIngest(this.#context, key, options), release)
      await this.#assertRoomFor(writer, options.size)
      return writer
    } catch (error) {
      release()
      throw error
    }
  }

  /** Checks the free space for the remaining bytes; on failure the partial blob is kept for a later retry. */
  async #assertRoomFor(writer: BlobWriter, size = 0): Promise<void> {
    try {
      await assertRoom(this.#context, size - writer.offset)
    } catch (error) {
      await writer[Symbol.asyncDispose]()
      throw error
    }
  }

  async statIngest(key: string, options: Omit<IngestOptions, 'wait' | 'hasher'> = {}): Promise<IngestInfo | undefined> {
    checkIngestKey(key)
    this.#context.assertOpen()
    options.signal?.throwIfAborted()
    return statIngest(this.#context, key, options.algorithm ?? 'sha256')
  }

  async #admit(parts: Omit<IngestWriterParts, 'onClosed'>, release?: () => void): Promise<BlobWriter> {
    const onClosed = () => {
      this.#writers.delete(writer)
      release?.()
    }
    const writer = new IngestWriter({ ...parts, onClosed })
    this.#writers.add(writer)
    if (this.#stop.signal.aborted) await writer[Symbol.asyncDispose]()
    this.#context.assertOpen()
    return writer
  }

  async delete(digest: Digest, options: AbortOptions = {}): Promise<void> {
    await this.#context.prepareWrite()
    options.signal?.throwIfAborted()
    await removeBlobFile(this.#context, parseDigest(digest))
  }

  async *list(options: AbortOptions = {}): AsyncGenerator<BlobInfo, void, undefined> {
    this.#context.assertOpen()
    yield* listBlobs(this.#context, options)
  }

  close(): Promise<void> {
    this.#closed ??= this.#close()
    return this.#closed
  }

  async #close(): Promise<void> {
    this.#context.close()
    this.#stop.abort()
    await this.#sweep
    await Promise.all([...this.#writers].map(writer => writer[Symbol.asyncDispose]()))
    await Promise.all(this.#smallPuts)
    await this.references.settle()
    await this.#context.batch.close()
    await this.leases.close()
    await this.#puts.close()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }
}
