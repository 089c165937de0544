import type { HasherEngine } from '../digest/index.ts'
import { StoreError } from '../errors/index.ts'
import type { AbortOptions } from '../internal/abort.ts'
import { assertMembers, assertOneOf, assertOptions } from '../internal/assert-kind.ts'
import { invalidArgument } from '../internal/invalid-argument.ts'
import type { CorruptionPolicy, Store, StoreEvent, VerifyPolicy } from '../store/index.ts'
import { createFormat, type Format, readFormat } from './format-marker.ts'
import type { BucketLocks } from './locks/bucket-locks.ts'
import { LockedBucket } from './locks/locked-bucket.ts'
import { ObjectContext, type ObjectSettings } from './object-context.ts'
import { ObjectStore } from './object-store.ts'
import type { Bucket } from './s3/bucket.ts'
import type { BucketOptions } from './s3/bucket-options.ts'
import { openBucket } from './s3/open-bucket.ts'

const MIB = 1024 * 1024
/** SPEC: Amazon S3 API, multipart upload: a part has 5 MiB to 5 GiB, except the last one. */
const LEAST_PART = 5 * MIB
const MOST_PART = 1024 * MIB
const PART = 8 * MIB
const CONCURRENCY = 4
const DAY_MS = 24 * 3_600_000

/** Options of {@link openObjectStore} that do not concern the bucket. */
export interface ObjectStoreSettings extends AbortOptions {
  /**
   * Hash engine of `put` and of reads. An ingest has `'wasm'` unless its call says otherwise.
   *
   * @defaultValue `'wasm'`
   */
  readonly hasher?: HasherEngine | undefined
  /** Verification policy for reads of whole blobs. @defaultValue `'always'` */
  readonly verify?: VerifyPolicy | undefined
  /** Handling of a corrupt blob by a read, besides rejecting. @defaultValue `'report'` */
  readonly onCorrupt?: CorruptionPolicy | undefined
  /** Write nothing at all, not even a lease. @defaultValue `false` */
  readonly readOnly?: boolean | undefined
  /** Create the store if there is nothing below the prefix. @defaultValue `true`, unless `readOnly` */
  readonly create?: boolean | undefined
  /**
   * Handling of a damaged marker of the format: refuse, or open the store so that `checkStore` and `repairStore` can
   * work. @defaultValue `'refuse'`
   */
  readonly damaged?: 'refuse' | 'open' | undefined
  /**
   * Bytes of one part of an upload and of one range of a read, from 5 MiB to 1 GiB. Smaller blobs are one request. An
   * ingest buffers at most `partSize` times `concurrency`, and more of a blob that would need over 10,000 parts.
   * @defaultValue 8 MiB
   */
  readonly partSize?: number | undefined
  /** Parts of one blob in flight, from 2 to 64. @defaultValue `4` */
  readonly concurrency?: number | undefined
  /**
   * Age in milliseconds after which a collection ends an upload whose process is gone or unknown; at least an hour.
   * @defaultValue 24 hours
   */
  readonly abandonedMs?: number | undefined
  /** Locks in another engine, for object storage that enforces no conditional writes. */
  readonly locks?: BucketLocks | undefined
  /**
   * Called when an operation has waited for two seconds for another process, with that process and advice, and when the
   * operation continues. Must not throw.
   */
  readonly onEvent?: ((event: StoreEvent) => void) | undefined
}

/** Options of {@link openObjectStore}. */
export interface OpenObjectStoreOptions extends BucketOptions, ObjectStoreSettings {}

/**
 * Opens the store in a bucket of object storage that speaks the S3 protocol. Any number of processes and machines may
 * have it open at once.
 *
 * Names, leases and collections need conditional writes (`If-None-Match`, `If-Match`). The first open asks the engine
 * whether it enforces them.
 *
 * @example
 * ```ts
 * await using store = await openObjectStore({ bucket: 'images', prefix: 'team', region: 'eu-central-1' })
 * const { digest } = await store.put(createReadStream('app.tar'))
 * ```
 *
 * @throws {@link StoreError} `ERR_STORE_UNSAFE` if the engine enforces no conditional writes and there are no `locks`,
 * `ERR_STORE_FORMAT` if the prefix contains something else, `ERR_STORE_NOT_FOUND` if there is none and `create` or
 * `readOnly` forbid to create it, `ERR_STORE_VERSION` if a newer version of this library created it.
 * @throws {@link BucketError} if the bucket cannot be reached or refuses.
 * @throws {@link FormatError} `ERR_INVALID_ARGUMENT`.
 */
export async function openObjectStore(options: OpenObjectStoreOptions): Promise<Store> {
  const settings = settingsOf(options)
  const bucket = await openBucket(options)
  try {
    return await openStoreIn(bucket, settings, options)
  } catch (error) {
    bucket.close()
    throw error
  }
}

/**
 * As {@link openObjectStore}, in a bucket that the caller has opened: with a prefix of its own, or another
 * implementation of `Bucket`. Closing the store closes the bucket.
 *
 * @example
 * ```ts
 * const bucket = await openBucket({ bucket: 'images', prefix: 'team' })
 * await using store = await openStoreInBucket(bucket, { readOnly: true })
 * ```
 *
 * @throws As {@link openObjectStore}.
 */
export async function openStoreInBucket(bucket: Bucket, options: ObjectStoreSettings = {}): Promise<Store> {
  assertMembers(bucket, 'bucket', 'a bucket, as openBucket makes it', ['head', 'get', 'put', 'list'])
  return openStoreIn(bucket, settingsOf(options), options)
}

async function openStoreIn(bucket: Bucket, settings: ObjectSettings, options: ObjectStoreSettings): Promise<Store> {
  const { locks, signal, damaged = 'refuse', create = !settings.readOnly } = options
  signal?.throwIfAborted()
  const context = new ObjectContext(locks ? new LockedBucket(bucket, locks) : bucket, settings)
  const format = await readFormat(context, { signal }).catch((error): Format => {
    if (damaged === 'open' && error instanceof StoreError && error.code === 'ERR_STORE_FORMAT') return {}
    throw error
  })
  if (!format && (!create || settings.readOnly)) {
    throw new StoreError('ERR_STORE_NOT_FOUND', `there is no store in ${bucket.address}`)
  }
  if (!settings.readOnly && !locks && format?.conditionsAt !== bucket.address) await assertSafe(bucket, { signal })
  if (!format) await createFormat(context, locks ? {} : { conditionsAt: bucket.address }, { signal })
  return new ObjectStore(context)
}

/** SAFETY: without conditional writes two processes would overwrite names and leases of each other in silence. */
async function assertSafe(bucket: Bucket, options: AbortOptions): Promise<void> {
  const { ifNoneMatch, ifMatch } = await bucket.conditions(options)
  if (ifNoneMatch && ifMatch) return
  const lacks = [...(ifNoneMatch ? [] : ['If-None-Match']), ...(ifMatch ? [] : ['If-Match'])].join(' and ')
  const message = `${bucket.address} does not enforce ${lacks}, so processes would overwrite changes of each other`
  throw new StoreError('ERR_STORE_UNSAFE', `${message}: open the store with locks, or read-only`)
}

function settingsOf(options: ObjectStoreSettings): ObjectSettings {
  assertOptions(options)
  const { hasher = 'wasm', verify = 'always', onCorrupt = 'report', readOnly = false, onEvent, locks } = options
  assertOneOf('hasher', hasher, ['wasm', 'native'])
  assertOneOf('verify', verify, ['always', 'once-per-process', 'never'])
  assertOneOf('onCorrupt', onCorrupt, ['report', 'quarantine'])
  assertOneOf('damaged', options.damaged ?? 'refuse', ['refuse', 'open'])
  assertFlag('readOnly', readOnly)
  assertFlag('create', options.create ?? true)
  if (locks !== undefined) assertMembers(locks, 'locks', 'locks, as redisLocks makes them', ['acquire'])
  const partSize = within('partSize', options.partSize ?? PART, LEAST_PART, MOST_PART)
  const concurrency = within('concurrency', options.concurrency ?? CONCURRENCY, 2, 64)
  const abandonedMs = within('abandonedMs', options.abandonedMs ?? DAY_MS, DAY_MS / 24, Number.MAX_SAFE_INTEGER)
  return { hasher, verify, onCorrupt, readOnly, partSize, concurrency, abandonedMs, onEvent }
}

function within(name: string, value: unknown, least: number, most: number): number {
  if (Number.isSafeInteger(value) && (value as number) >= least && (value as number) <= most) return value as number
  throw invalidArgument(name, `a whole number from ${least} to ${most}`, value)
}

function assertFlag(name: string, value: unknown): void {
  if (typeof value !== 'boolean') throw invalidArgument(name, 'true or false', value)
}
