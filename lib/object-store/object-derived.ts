import { isDigest } from '../digest/index.ts'
import type { AbortOptions } from '../internal/abort.ts'
import { settleAll } from '../internal/settle-all.ts'
import type { CacheRecord, DerivedKind, DerivedStore } from '../store/index.ts'
import { checkDerivedKey, openSealed, sealBytes } from '../store/index.ts'
import { fractionOf } from './blobs/blob-age.ts'
import type { ObjectContext } from './object-context.ts'
import { GatheredDeletes } from './objects/gathered-deletes.ts'
import { Keys } from './objects/keys.ts'
import { jsonIn, readObject } from './objects/read-object.ts'
import type { ListedObject } from './s3/bucket.ts'

/** SAFETY: limits the bytes read into memory, as in a disk store. */
const MOST_BYTES: Readonly<Record<DerivedKind, number>> = {
  indexes: 1024 * 1024 * 1024,
  facts: 16 * 1024 * 1024,
  cache: 4 * 1024 * 1024,
}
const AT_ONCE = 16

/**
 * Derived data of a store in a bucket: one object for each key. Cache records are plain JSON; the rest is sealed with a
 * checksum.
 */
export class ObjectDerived implements DerivedStore {
  readonly #context: ObjectContext
  /** PERF: a collection forgets several facts of each removed layer. */
  readonly #deletes: GatheredDeletes
  /** PERF: a collection reads records again only if they have changed. */
  readonly #records = new Map<string, { readonly etag: string; readonly record: CacheRecord | undefined }>()

  constructor(context: ObjectContext) {
    this.#context = context
    this.#deletes = new GatheredDeletes(context.bucket)
  }

  async get(kind: DerivedKind, key: string, options: AbortOptions = {}): Promise<Uint8Array | undefined> {
    const object = await readObject(this.#context.bucket, this.#key(kind, key, options), MOST_BYTES[kind], options)
    if (!object?.bytes) return undefined
    if (kind === 'cache') return jsonIn(object.bytes) && object.bytes
    return openSealed(object.bytes)
  }

  async set(kind: DerivedKind, key: string, bytes: Uint8Array, options: AbortOptions = {}): Promise<void> {
    const at = this.#key(kind, key, options)
    const sealed = kind === 'cache' ? bytes : sealBytes(bytes)
    if (this.#context.settings.readOnly || sealed.byteLength > MOST_BYTES[kind]) return
    await this.#context.bucket.put(at, sealed, options)
  }

  async list(kind: DerivedKind, options: AbortOptions = {}): Promise<readonly string[]> {
    const prefix = this.#key(kind, 'any', options).slice(0, -'any'.length)
    const keys: string[] = []
    for await (const { key } of this.#context.bucket.list(prefix, options)) keys.push(key.slice(prefix.length))
    return keys
  }

  async delete(kind: DerivedKind, key: string, options: AbortOptions = {}): Promise<void> {
    const at = this.#key(kind, key, options)
    this.#context.assertWritable()
    await this.#deletes.delete(at)
  }

  /** The cache records, as a collection asks for them. */
  async records(options: AbortOptions = {}): Promise<CacheRecord[]> {
    const listed: ListedObject[] = []
    for await (const object of this.#context.bucket.list(`${Keys.derived}cache/`, options)) listed.push(object)
    const records: CacheRecord[] = []
    for (let i = 0; i < listed.length; i += AT_ONCE) {
      const some = await settleAll(listed.slice(i, i + AT_ONCE).map(object => this.#record(object, options)))
      for (const record of some) if (record) records.push(record)
    }
    return records
  }

  async #record(listed: ListedObject, options: AbortOptions): Promise<CacheRecord | undefined> {
    const known = this.#records.get(listed.key)
    if (known?.etag === listed.etag && known.record?.modifiedMs === timeOf(listed)) return known.record
    const found = await readObject(this.#context.bucket, listed.key, MOST_BYTES.cache, options)
    const { blobs } = jsonIn(found?.bytes) ?? {}
    const sound = Array.isArray(blobs) && blobs.every(isDigest)
    const name = listed.key.slice(`${Keys.derived}cache/`.length)
    const record = sound ? { record: name, digests: blobs, modifiedMs: timeOf(found?.facts ?? listed) } : undefined
    this.#records.set(listed.key, { etag: listed.etag, record })
    return record
  }

  /** Removes a cache record unless it was set meanwhile. Resolves to whether it was removed. */
  async forget(record: string, modifiedMs: number): Promise<boolean> {
    checkDerivedKey('cache', record)
    const key = `${Keys.derived}cache/${record}`
    const facts = await this.#context.bucket.head(key)
    if (!facts || timeOf(facts) !== modifiedMs) return false
    await this.#context.bucket.delete(key)
    return true
  }

  #key(kind: DerivedKind, key: string, options: AbortOptions): string {
    this.#context.assertOpen()
    options.signal?.throwIfAborted()
    checkDerivedKey(kind, key)
    return `${Keys.derived}${kind}/${key}`
  }
}

/** Time of a record, with its version below a second: dates have whole seconds. */
function timeOf({ modified, etag }: Pick<ListedObject, 'modified' | 'etag'>): number {
  return Math.floor(modified / 1000) * 1000 + fractionOf(etag)
}
