import { splitDigest } from '../../digest/index.ts'
import type { BlobInfo, Store } from '../../store/index.ts'

/**
 * Blobs from this size on are uploaded under a lock. The lock costs two requests; without it two machines may upload
 * the same blob at the same moment.
 */
const LOCKED_BYTES = 64 * 1024

/** Uploads a blob of the cache unless the shared store has it; then it is acknowledged there. */
export async function uploadFromCache(cache: Store, shared: Store, blob: BlobInfo, signal: AbortSignal): Promise<void> {
  const { digest, size } = blob
  // SAFETY: another process may make room in the cache at any time; it leaves what a lease names.
  await using _ = await cache.leases.hold({ label: 'upload to the shared store', digests: [digest] })
  if (await shared.leases.touch(digest, { signal })) return
  if (size < LOCKED_BYTES) await shared.put(cache.read(digest, { signal }), { digest, size, signal })
  else await uploadOnce(cache, shared, blob, signal)
}

/** The key of an ingest has one writer of all machines; a machine that waited for it finds the blob there. */
async function uploadOnce(cache: Store, shared: Store, { digest, size }: BlobInfo, signal: AbortSignal): Promise<void> {
  const { algorithm } = splitDigest(digest)
  await using writer = await shared.ingest(digest, { algorithm, size, wait: true, signal })
  if (await shared.leases.touch(digest, { signal })) return writer.abort()
  for await (const chunk of cache.read(digest, { signal, offset: writer.offset, borrow: true })) {
    await writer.write(chunk)
  }
  await writer.commit({ digest, size, signal })
}
