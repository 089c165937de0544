import { randomBytes } from 'node:crypto'
import { type Digest, splitDigest } from '../../digest/index.ts'
import { StoreError } from '../../errors/index.ts'
import type { AbortOptions } from '../../internal/abort.ts'
import { mayBeImageDocument } from '../../oci/index.ts'
import type { BlobInfo } from '../../store/index.ts'
import type { ObjectContext } from '../object-context.ts'
import { blobKey, documentKey, touchedKey } from '../objects/keys.ts'

/** Bound for attempts that other processes undo: each one loses against a removal of the same blob. */
const ATTEMPTS = 20
const NOTHING = new Uint8Array(0)

/**
 * Stores the bytes of a small blob. An existing blob of the same size stays and is acknowledged; one of another size is
 * corrupt and is replaced.
 *
 * SAFETY: collections do not read a blob without a mark, and do not keep it for its subject. So the mark of a document
 * is written before the blob, and once more after a removal, which takes both. A collection that removes an earlier
 * blob between the two writes, and withdraws its announcement, takes the mark only: so the mark is looked at last.
 */
export async function publishBytes(context: ObjectContext, blob: BlobInfo, bytes: Uint8Array): Promise<void> {
  const noteStored = context.held.storing()
  const mark = mayBeImageDocument(bytes) ? documentKey(blob.digest) : undefined
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    if (mark) await context.bucket.put(mark, NOTHING)
    const stays = await storeBytes(context, blob, bytes)
    if (stays && (!mark || (await context.bucket.head(mark)))) return noteStored(blob)
  }
  throw removedAgain(blob.digest)
}

/** Resolves to whether the blob stays: a collection may have removed it meanwhile. */
async function storeBytes(context: ObjectContext, { digest, size }: BlobInfo, bytes: Uint8Array): Promise<boolean> {
  const { bucket } = context
  const { algorithm, hex } = splitDigest(digest)
  const sha256 = algorithm === 'sha256' ? hex : undefined
  const result = await bucket.put(blobKey(digest), bytes, { sha256, ifNoneMatch: true })
  if (!result.stored && result.existing?.size === size) return (await acknowledgeObject(context, digest)) !== undefined
  if (!result.stored) await bucket.put(blobKey(digest), bytes, { sha256 })
  return !(await awaitRemovals(context, digest))
}

/**
 * Acknowledges a blob: a collection treats it as if it had just been stored. Resolves to its facts if it exists.
 *
 * SAFETY: the marker is written before the record of collections is read. A collection that was announced earlier is
 * waited for; a later one sees the marker. So a blob that is found afterwards stays. PERF: the look before the marker
 * is as good if the record is the one that was read before that look: then nothing was announced in between.
 */
export async function acknowledgeObject(
  context: ObjectContext,
  digest: Digest,
  options: AbortOptions = {},
): Promise<BlobInfo | undefined> {
  const { bucket, collections, settings } = context
  const look = async () => {
    const facts = await bucket.head(blobKey(digest), options)
    return facts && { digest, size: facts.size }
  }
  const { generation } = collections
  // A pull asks for every blob that it will fetch: no marker for absent ones.
  const found = await look()
  if (!found || settings.readOnly) return found
  await writeMarker(context, digest)
  const mayBeGone = await collections.settleSince(generation, ({ blobs }) => blobs.includes(digest))
  return mayBeGone ? look() : found
}

/** Writes the marker of a blob and waits for announced removals of it. */
export async function markTouched(context: ObjectContext, digest: Digest): Promise<void> {
  await writeMarker(context, digest)
  await awaitRemovals(context, digest)
}

async function writeMarker({ bucket }: ObjectContext, digest: Digest): Promise<void> {
  // Random bytes give each marker another ETag: dates have whole seconds.
  await bucket.put(touchedKey(digest), randomBytes(12))
}

/** Waits for announced removals of a blob. Resolves to whether there were any: the blob may be gone then. */
function awaitRemovals({ collections }: ObjectContext, digest: Digest): Promise<boolean> {
  return collections.settle(({ blobs }) => blobs.includes(digest))
}

function removedAgain(digest: Digest): StoreError {
  return new StoreError(
    'ERR_STORE_IO',
    `${digest} was removed each time that it was stored; does another program delete?`,
  )
}

/**
 * Removes a blob and its marker.
 *
 * SAFETY: the removal is not announced, so another process may store the blob again meanwhile. A document that it
 * stores must not lose its mark: a later collection removes the mark, if it belongs to no blob then.
 */
export async function removeBlob(
  { bucket, held }: ObjectContext,
  digest: Digest,
  options: AbortOptions,
): Promise<void> {
  options.signal?.throwIfAborted()
  const removing = bucket.deleteMany([blobKey(digest), touchedKey(digest)], options)
  const [fault] = await removing.finally(() => held.forget(digest))
  if (fault) throw new StoreError('ERR_STORE_IO', `cannot remove ${digest}: ${fault.code} ${fault.message}`)
}
