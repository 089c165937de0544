import { randomUUID } from 'node:crypto'
import { createStreamDigester, type Digest, parseDigest, splitDigest } from '../digest/index.ts'
import type { AbortOptions } from '../internal/abort.ts'
import { type ByteSource, keepFault } from '../internal/byte-source.ts'
import { KeyedMutex } from '../internal/concurrency/keyed-mutex.ts'
import type {
  AddressOptions,
  BlobInfo,
  BlobWriter,
  IngestInfo,
  IngestOptions,
  IngestWriterParts,
  PutOptions,
  ReadBlobOptions,
  StoreDriver,
} from '../store/index.ts'
import { acquireIngestKey, checkIngestKey, IngestWriter, isSmall, putThrough } from '../store/index.ts'
import { listBlobObjects } from './blobs/list-blob-objects.ts'
import { acknowledgeObject, removeBlob } from './blobs/publish-blob.ts'
import { readBlobObject, VerifiedObjects } from './blobs/read-blob-object.ts'
import { scanBlobObjects } from './blobs/scan-blob-objects.ts'
import { ObjectCheck } from './check/object-check.ts'
import { ObjectCollection } from './collect/object-collection.ts'
import { BucketSink } from './ingest/bucket-sink.ts'
import { ingestKeys } from './ingest/ingest-record.ts'
import { statObjectIngest } from './ingest/list-ingests.ts'
import { openObjectIngest } from './ingest/open-object-ingest.ts'
import { PartUpload } from './ingest/part-upload.ts'
import { NamingLease } from './leases/naming-lease.ts'
import { ObjectLeases } from './leases/object-leases.ts'
import type { ObjectContext } from './object-context.ts'
import { ObjectDerived } from './object-derived.ts'
import { blobKey } from './objects/keys.ts'
import { ObjectReferences } from './references/object-references.ts'

/** A store in a bucket; README.md describes the keys. */
export class ObjectStore implements StoreDriver {
  readonly references: ObjectReferences
  readonly leases: ObjectLeases
  readonly derived: ObjectDerived
  readonly collection: ObjectCollection
  readonly checking: ObjectCheck
  readonly #context: ObjectContext
  readonly #naming: NamingLease
  readonly #verified = new VerifiedObjects()
  readonly #ingests = new KeyedMutex()
  readonly #writers = new Set<BlobWriter>()
  #closed: Promise<void> | undefined

  constructor(context: ObjectContext) {
    this.#context = context
    this.#naming = new NamingLease(context)
    this.references = new ObjectReferences(context, this, this.#naming)
    this.leases = new ObjectLeases(context)
    this.derived = new ObjectDerived(context)
    this.collection = new ObjectCollection(context, this.references, this.derived)
    this.checking = new ObjectCheck(context, this.references)
  }

  async stat(digest: Digest, options: AbortOptions = {}): Promise<BlobInfo | undefined> {
    this.#context.assertOpen()
    options.signal?.throwIfAborted()
    const facts = await this.#context.bucket.head(blobKey(parseDigest(digest)), options)
    return facts && { digest, size: facts.size }
  }

  async *read(digest: Digest, options: ReadBlobOptions = {}): AsyncGenerator<Uint8Array, void, undefined> {
    this.#context.assertOpen()
    yield* readBlobObject(this.#context, this.#verified, parseDigest(digest), options)
  }

  /** The bucket answers an address of an absent blob with 404. */
  async addressOf(digest: Digest, { expiresIn, signal }: AddressOptions): Promise<string> {
    this.#context.assertOpen()
    return this.#context.bucket.presign(blobKey(parseDigest(digest)), { expiresIn, signal })
  }

  async put(source: ByteSource, options: PutOptions = {}): Promise<BlobInfo> {
    keepFault(source)
    this.#context.assertWritable()
    options.signal?.throwIfAborted()
    // PERF: a few bytes are sent without a look: the service refuses them if the blob is there.
    const there = options.digest && !isSmall(source) && (await this.stat(options.digest, options))
    if (there && (options.size === undefined || options.size === there.size)) {
      if (await acknowledgeObject(this.#context, there.digest)) return there
    }
    const release = await this.#context.puts.acquire(options.signal)
    try {
      return await putThrough(this.#admit(await this.#openPut(options)), source, options)
    } finally {
      release()
    }
  }

  async #openPut(options: PutOptions): Promise<Omit<IngestWriterParts, 'onClosed'>> {
    const algorithm = options.digest ? splitDigest(options.digest).algorithm : 'sha256'
    const hasher = options.hasher ?? this.#context.settings.hasher
    const target = options.digest ? blobKey(options.digest) : ingestKeys(`put-${randomUUID()}`).data
    const upload = new PartUpload(this.#context, target, { size: options.size })
    const sink = new BucketSink(this.#context, { upload, target, algorithm, held: undefined, offset: 0 })
    return { sink, algorithm, hasher, digester: await createStreamDigester({ algorithm, hasher }) }
  }

  async ingest(key: string, options: IngestOptions = {}): Promise<BlobWriter> {
    checkIngestKey(key)
    this.#context.assertWritable()
    options.signal?.throwIfAborted()
    const release = await acquireIngestKey(this.#ingests, key, options)
    try {
      this.#context.assertOpen()
      const writer = this.#admit(await openObjectIngest(this.#context, key, options), release)
      if (this.#closed) await writer[Symbol.asyncDispose]()
      this.#context.assertOpen()
      return writer
    } catch (error) {
      release()
      throw error
    }
  }

  async statIngest(key: string, options: Omit<IngestOptions, 'wait' | 'hasher'> = {}): Promise<IngestInfo | undefined> {
    checkIngestKey(key)
    this.#context.assertOpen()
    options.signal?.throwIfAborted()
    return statObjectIngest(this.#context, key, options)
  }

  #admit(parts: Omit<IngestWriterParts, 'onClosed'>, release?: () => void): BlobWriter {
    const onClosed = () => {
      this.#writers.delete(writer)
      release?.()
    }
    const writer: BlobWriter = new IngestWriter({ ...parts, onClosed })
    this.#writers.add(writer)
    return writer
  }

  async delete(digest: Digest, options: AbortOptions = {}): Promise<void> {
    this.#context.assertWritable()
    await removeBlob(this.#context, parseDigest(digest), options)
  }

  async *list(options: AbortOptions = {}): AsyncGenerator<BlobInfo, void, undefined> {
    this.#context.assertOpen()
    yield* listBlobObjects(this.#context, options)
  }

  async *documents(options: AbortOptions = {}): AsyncGenerator<BlobInfo, void, undefined> {
    this.#context.assertOpen()
    for await (const blobs of scanBlobObjects(this.#context, options)) yield* blobs.filter(blob => blob.isDocument)
  }

  close(): Promise<void> {
    this.#closed ??= this.#close()
    return this.#closed
  }

  async #close(): Promise<void> {
    this.#context.close()
    await Promise.all([...this.#writers].map(writer => writer[Symbol.asyncDispose]()))
    await this.#naming.close()
    await this.leases.close()
    this.#context.bucket.close()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }
}
