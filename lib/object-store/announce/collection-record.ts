import { type Digest, isDigest } from '../../digest/index.ts'
import { StoreError } from '../../errors/index.ts'
import type { AbortOptions } from '../../internal/abort.ts'
import type { Owner } from '../../internal/locks/owner.ts'
import { ownerIn } from '../objects/holder.ts'
import { Keys } from '../objects/keys.ts'
import { jsonIn, readObject } from '../objects/read-object.ts'
import type { Bucket, ObjectFacts } from '../s3/bucket.ts'

/** SAFETY: limits the bytes read into memory; another program may write a larger object. A batch has about 100 KB. */
const MOST_BYTES = 1024 * 1024

/** Time for which a service may still work on a request whose sender is gone, unless an announcement says more. */
export const LAST_REQUEST_MS = 5000

/** Blobs and names that a collection is about to remove. */
export interface AnnouncedRemovals {
  readonly blobs: readonly Digest[]
  readonly names: readonly string[]
  /** Time for which the service may still work on a request of this collection, if it is a slow one. */
  readonly lastRequestMs?: number | undefined
}

/** Content of `collection.json`. */
export interface CollectionRecord {
  readonly version: 1
  /** Number of changes of the record; never decreases. */
  readonly generation: number
  /** Process that runs the collection; `null` if none does. */
  readonly holder: Owner | null
  /** Announced removals; `null` if there are none. */
  readonly batch: AnnouncedRemovals | null
}

/** The record as it was read. */
export interface SeenRecord {
  readonly record: CollectionRecord
  readonly facts: ObjectFacts
}

/** The record as this process wrote it. */
export interface WrittenRecord {
  readonly record: CollectionRecord
  readonly facts: { readonly etag: string }
}

/**
 * Reads the record; `undefined` if no collection has ever run.
 *
 * @throws {@link StoreError} `ERR_STORE_FORMAT`: announced removals would be unknown.
 */
export async function readCollectionRecord(
  bucket: Bucket,
  options: AbortOptions = {},
): Promise<SeenRecord | undefined> {
  const found = await readObject(bucket, Keys.collection, MOST_BYTES, options)
  if (!found) return undefined
  const record = parse(jsonIn(found.bytes))
  if (record) return { record, facts: found.facts }
  const message = `${Keys.collection} is damaged: the removals of a running collection are unknown; repair the store`
  throw new StoreError('ERR_STORE_FORMAT', message)
}

function parse(value: Record<string, unknown> | undefined): CollectionRecord | undefined {
  const { version, generation, holder, batch } = value ?? {}
  const owner = holder === null ? null : ownerIn(holder)
  if (version !== 1 || !Number.isSafeInteger(generation) || owner === undefined) return undefined
  if (batch === null) return { version, generation: generation as number, holder: owner, batch }
  const { blobs, names, lastRequestMs } = (batch ?? {}) as Partial<AnnouncedRemovals>
  const sound = Array.isArray(blobs) && blobs.every(isDigest) && Array.isArray(names) && names.every(isText)
  if (!sound || (lastRequestMs !== undefined && !isTime(lastRequestMs))) return undefined
  return { version, generation: generation as number, holder: owner, batch: { blobs, names, lastRequestMs } }
}

function isTime(value: unknown): value is number {
  return typeof value === 'number' && value >= 0
}

function isText(value: unknown): value is string {
  return typeof value === 'string'
}
