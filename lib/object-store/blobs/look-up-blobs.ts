import type { Digest } from '../../digest/index.ts'
import type { AbortOptions } from '../../internal/abort.ts'
import type { StoredBlob } from '../../store/index.ts'
import type { ObjectContext } from '../object-context.ts'
import { blobKey, digestIn, documentKey, Keys, touchedKey } from '../objects/keys.ts'
import type { Bucket, ListedObject } from '../s3/bucket.ts'
import { storedBlob } from './blob-age.ts'

/** Objects of others that a listing passes over before it begins anew at the next wanted key. */
const MOST_PASSED = 1000

/** The present state of blobs. */
export interface FoundBlobs {
  /** Those that exist. */
  readonly blobs: ReadonlyMap<Digest, StoredBlob>
  /** Keys of the objects that belong to them: markers and marks of documents. */
  readonly beside: ReadonlySet<string>
}

/** Looks up the present state of blobs. */
export async function lookUpBlobs(
  { bucket }: ObjectContext,
  digests: readonly Digest[],
  options: AbortOptions = {},
): Promise<FoundBlobs> {
  const markers = await listWanted(bucket, digests.map(touchedKey), options)
  const documents = await listWanted(bucket, digests.map(documentKey), options)
  const objects = await listWanted(bucket, digests.map(blobKey), options)
  const blobs = new Map<Digest, StoredBlob>()
  for (const object of objects.values()) {
    const digest = digestIn(object.key, Keys.blobs)
    if (!digest) continue
    const [marker, isDocument] = [markers.get(touchedKey(digest)), documents.has(documentKey(digest))]
    const blob = storedBlob(object, { marker, isDocument })
    if (blob) blobs.set(digest, blob)
  }
  return { blobs, beside: new Set([...markers.keys(), ...documents.keys()]) }
}

/**
 * Finds objects by their keys.
 *
 * PERF: one request lists a thousand objects. A collection removes neighbours, so it needs few listings; it never needs
 * more than one for each object.
 */
async function listWanted(
  bucket: Bucket,
  keys: readonly string[],
  options: AbortOptions,
): Promise<Map<string, ListedObject>> {
  const wanted = [...keys].sort()
  const found = new Map<string, ListedObject>()
  for (let next = 0; next < wanted.length; ) {
    const first = wanted[next] as string
    const prefix = first.slice(0, first.indexOf('/', first.indexOf('/') + 1) + 1)
    // The key without its last character comes just before it.
    next = await listFrom(bucket, prefix, first.slice(0, -1), wanted, next, found, options)
  }
  return found
}

/** Lists from a key until the next wanted one is far; resolves to the index of that one. */
async function listFrom(
  bucket: Bucket,
  prefix: string,
  after: string,
  wanted: readonly string[],
  from: number,
  found: Map<string, ListedObject>,
  options: AbortOptions,
): Promise<number> {
  let [next, passed] = [from, 0]
  for await (const object of bucket.list(prefix, { ...options, after })) {
    while (next < wanted.length && (wanted[next] as string) < object.key) next++
    const key = wanted[next]
    if (!key?.startsWith(prefix)) return next
    if (key === object.key) {
      found.set(key, object)
      next++
      passed = 0
    } else {
      passed++
      if (passed > MOST_PASSED) return next
    }
  }
  // The listing has ended: none of the other keys below the prefix exists.
  while (wanted[next]?.startsWith(prefix)) next++
  return next
}
