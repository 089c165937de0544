// #region bucket
import {
  type AbortOptions,
  BlobNotFoundError,
  type ByteSource,
  createStreamDigester,
  type Descriptor,
  type Digest,
  parseDigest,
  type ReferenceStore,
  type Store,
  StoreError,
} from 'layerstore'
import { splitDigest } from 'layerstore/digest'
import { parseDescriptor } from 'layerstore/oci'
import {
  acquireIngestKey,
  assertComplete,
  assertExpected,
  type BlobWriter,
  checkDerivedKey,
  checkHold,
  checkIngestKey,
  checkRange,
  type DerivedKind,
  type DerivedStore,
  type HoldOptions,
  type IngestOptions,
  type IngestSink,
  IngestWriter,
  KeyedMutex,
  type LeaseInfo,
  type LeaseStore,
  type PutOptions,
  putThrough,
  type ReadBlobOptions,
  rangeOf,
  type SetReferenceOptions,
  spellingsOf,
  storedName,
  verifyStored,
} from 'layerstore/store'

/** The calls that the driver needs, as any object storage offers them. `set` replaces an object as a whole. */
export interface Bucket {
  size(key: string): Promise<number | undefined>
  get(key: string): Promise<Uint8Array | undefined>
  set(key: string, bytes: Uint8Array): Promise<void>
  delete(key: string): Promise<void>
  keys(prefix: string): Promise<string[]>
}

/** Opens a store in a bucket. */
export function createBucketStore(bucket: Bucket): Store {
  return new BucketStore(bucket)
}
// #endregion

// #region open
/** Locks by bucket: two stores over one bucket in this process exclude each other. */
const locks = new WeakMap<Bucket, KeyedMutex>()

/** One open store: its bucket, its locks, and the check that begins every call. */
class OpenBucket {
  readonly bucket: Bucket
  readonly mutex: KeyedMutex
  isOpen = true

  constructor(bucket: Bucket) {
    this.bucket = bucket
    this.mutex = locks.get(bucket) ?? new KeyedMutex()
    locks.set(bucket, this.mutex)
  }

  enter(options: AbortOptions): Bucket {
    if (!this.isOpen) throw new StoreError('ERR_STORE_CLOSED', 'this store has been closed')
    options.signal?.throwIfAborted()
    return this.bucket
  }
}

const blobKey = (digest: Digest) => `blobs/${parseDigest(digest).replace(':', '/')}`
const partKey = (key: string) => `parts/${Buffer.from(key).toString('base64url')}`
// #endregion

// #region blobs
class BucketStore implements Store {
  readonly references: ReferenceStore
  readonly leases: LeaseStore
  readonly derived: DerivedStore
  readonly #open: OpenBucket
  readonly #writers = new Set<BlobWriter>()

  constructor(bucket: Bucket) {
    this.#open = new OpenBucket(bucket)
    this.references = new BucketReferences(this.#open, this)
    this.leases = new ProcessLeases(this)
    this.derived = new BucketDerived(this.#open)
  }

  async stat(digest: Digest, options: AbortOptions = {}) {
    const size = await this.#open.enter(options).size(blobKey(digest))
    return size === undefined ? undefined : { digest, size }
  }

  async *read(digest: Digest, options: ReadBlobOptions = {}) {
    const bucket = this.#open.enter(options)
    checkRange(options)
    const bytes = await bucket.get(blobKey(digest))
    if (!bytes) throw new BlobNotFoundError(digest)
    const { start, end, whole } = rangeOf(options, bytes.byteLength)
    if (!whole || options.verify === 'never') yield Uint8Array.from(bytes.subarray(start, end))
    else yield* verifyStored([Uint8Array.from(bytes)], { digest, size: bytes.byteLength }, 'wasm')
  }

  async put(source: ByteSource, options: PutOptions = {}) {
    this.#open.enter(options)
    const known = options.digest && (await this.stat(options.digest, options))
    if (known && (options.size ?? known.size) === known.size) return known
    const algorithm = options.digest ? splitDigest(options.digest).algorithm : 'sha256'
    return putThrough(await this.#openWriter({ ...options, algorithm }), source, options)
  }

  async ingest(key: string, options: IngestOptions = {}): Promise<BlobWriter> {
    this.#open.enter(options)
    checkIngestKey(key)
    const release = await acquireIngestKey(this.#open.mutex, partKey(key), options)
    try {
      return await this.#openWriter(options, partKey(key), release)
    } catch (error) {
      release()
      throw error
    }
  }

  /** A writer of the kit hashes and verifies; the sink of this driver keeps the bytes. */
  async #openWriter(options: IngestOptions, part?: string, release?: () => void): Promise<BlobWriter> {
    const bucket = this.#open.enter(options)
    const { algorithm = 'sha256', hasher = 'wasm' } = options
    const earlier = part ? await bucket.get(part) : undefined
    const digester = await createStreamDigester({ algorithm, hasher })
    if (earlier) await digester.update(earlier)
    const onClosed = () => {
      this.#writers.delete(writer)
      release?.()
    }
    const sink = bucketSink(bucket, earlier ? [earlier] : [], part)
    const writer: BlobWriter = new IngestWriter({ sink, digester, algorithm, hasher, onClosed })
    this.#writers.add(writer)
    return writer
  }

  async delete(digest: Digest, options: AbortOptions = {}) {
    await this.#open.enter(options).delete(blobKey(digest))
  }

  async *list(options: AbortOptions = {}) {
    for (const key of await this.#open.enter(options).keys('blobs/')) {
      const blob = await this.stat(parseDigest(key.slice('blobs/'.length).replace('/', ':')), options)
      if (blob) yield blob
    }
  }

  async close() {
    this.#open.isOpen = false
    await Promise.all([...this.#writers].map(writer => writer[Symbol.asyncDispose]()))
  }

  [Symbol.asyncDispose]() {
    return this.close()
  }
}
// #endregion

// #region sink
/** Collects the bytes of one blob. A driver for large blobs would upload each piece in `append`. */
function bucketSink(bucket: Bucket, pieces: Uint8Array[], part: string | undefined): IngestSink {
  const forget = async () => {
    if (part) await bucket.delete(part)
  }
  return {
    append: async piece => void pieces.push(Uint8Array.from(piece)),
    advance: async () => {},
    publish: async blob => {
      await bucket.set(blobKey(blob.digest), Buffer.concat(pieces))
      await forget()
    },
    keep: async () => {
      if (part && pieces.length > 0) await bucket.set(part, Buffer.concat(pieces))
    },
    drop: forget,
  }
}
// #endregion

// #region names
/** Names in one object. The lock holds within this process; other processes need a conditional write of the bucket. */
class BucketReferences implements ReferenceStore {
  readonly #open: OpenBucket
  readonly #blobs: Store

  constructor(open: OpenBucket, blobs: Store) {
    this.#open = open
    this.#blobs = blobs
  }

  async get(name: string, options: AbortOptions = {}) {
    return find(await this.#read(options), name)?.descriptor
  }

  async set(name: string, descriptor: Descriptor, options: SetReferenceOptions = {}) {
    this.#open.enter(options)
    const kept = storedName(name, options)
    const copy = structuredClone(parseDescriptor(descriptor))
    await assertComplete(this.#blobs, copy, options)
    await this.#change(options, names => {
      assertExpected(kept, find(names, name)?.descriptor.digest, options)
      names.set(kept, copy)
    })
    return kept
  }

  async delete(name: string, options: AbortOptions = {}) {
    return this.#change(options, names => names.delete(find(names, name)?.name ?? name))
  }

  async *list(options: AbortOptions = {}) {
    const names = [...(await this.#read(options))].sort(([a], [b]) => (a < b ? -1 : 1))
    for (const [name, descriptor] of names) yield { name, descriptor }
  }

  async #read(options: AbortOptions): Promise<Map<string, Descriptor>> {
    const bytes = await this.#open.enter(options).get('names.json')
    return new Map(bytes ? JSON.parse(new TextDecoder().decode(bytes)) : [])
  }

  async #change<T>(options: AbortOptions, change: (names: Map<string, Descriptor>) => T): Promise<T> {
    const release = await this.#open.mutex.acquire('names', options.signal)
    try {
      const names = await this.#read(options)
      const result = change(names)
      await this.#open.bucket.set('names.json', Buffer.from(JSON.stringify([...names])))
      return result
    } finally {
      release()
    }
  }
}

function find(names: Map<string, Descriptor>, name: string) {
  for (const spelling of spellingsOf(name)) {
    const descriptor = names.get(spelling)
    if (descriptor) return { name: spelling, descriptor }
  }
  return undefined
}
// #endregion

// #region rest
/** Leases that end with the process. Enough while no other process collects: this driver has no `collection`. */
class ProcessLeases implements LeaseStore {
  readonly #held = new Map<string, LeaseInfo>()
  readonly #blobs: Store

  constructor(blobs: Store) {
    this.#blobs = blobs
  }

  async hold(options: HoldOptions = {}) {
    const checked = checkHold(options)
    options.signal?.throwIfAborted()
    const [id, sinceMs] = [crypto.randomUUID(), Date.now()]
    this.#held.set(id, { ...checked, id, holder: 'this process', sinceMs, renewedMs: sinceMs })
    const release = async () => void this.#held.delete(id)
    const add = (digest: Digest) => this.touch(digest)
    return { id, add, renew: async () => {}, release, [Symbol.asyncDispose]: release }
  }

  async touch(digest: Digest, options: AbortOptions = {}) {
    return (await this.#blobs.stat(digest, options)) !== undefined
  }

  async *list(options: AbortOptions = {}) {
    options.signal?.throwIfAborted()
    yield* this.#held.values()
  }
}

/** Data that the library can compute again. */
class BucketDerived implements DerivedStore {
  readonly #open: OpenBucket

  constructor(open: OpenBucket) {
    this.#open = open
  }

  async get(kind: DerivedKind, key: string, options: AbortOptions = {}) {
    return this.#open.enter(options).get(derivedKey(kind, key))
  }

  async set(kind: DerivedKind, key: string, bytes: Uint8Array, options: AbortOptions = {}) {
    await this.#open.enter(options).set(derivedKey(kind, key), bytes)
  }

  async list(kind: DerivedKind, options: AbortOptions = {}) {
    const keys = await this.#open.enter(options).keys(`derived/${kind}/`)
    return keys.map(key => key.slice(`derived/${kind}/`.length))
  }

  async delete(kind: DerivedKind, key: string, options: AbortOptions = {}) {
    await this.#open.enter(options).delete(derivedKey(kind, key))
  }
}

function derivedKey(kind: DerivedKind, key: string): string {
  checkDerivedKey(kind, key)
  return `derived/${kind}/${key}`
}
// #endregion
