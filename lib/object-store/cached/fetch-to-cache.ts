import { type Digest, splitDigest } from '../../digest/index.ts'
import type { BlobInfo, BlobWriter, Store } from '../../store/index.ts'
import type { CacheRoom } from './cache-room.ts'

/** Stores that a download uses. */
export interface FetchParts {
  readonly cache: Store
  readonly shared: Store
  readonly room: CacheRoom
}

/**
 * Downloads a blob to the cache, or waits for another process that does. Resolves to `false` if the cache cannot take
 * it, or if the shared store does not have it.
 *
 * @throws the errors of the shared store; those of the cache are no reason to fail a read.
 */
export async function fetchToCache(parts: FetchParts, digest: Digest, signal: AbortSignal): Promise<boolean> {
  const { cache, shared, room } = parts
  const blob = await shared.stat(digest, { signal })
  if (!blob || blob.size > room.maxBytes) return false
  const writer = await openWriter(cache, blob, signal)
  if (!writer) return false
  try {
    if (await cache.stat(digest, { signal })) return await writer.abort().then(() => true)
    if (!(await copyRest(shared, blob, writer, signal))) return false
  } finally {
    // The bytes of a download that broke off are kept for the next one.
    await writer[Symbol.asyncDispose]().then(undefined, () => undefined)
  }
  await room.add(blob.size)
  return true
}

/** The key has one writer of all processes, so each blob is downloaded once. */
async function openWriter(
  cache: Store,
  { digest, size }: BlobInfo,
  signal: AbortSignal,
): Promise<BlobWriter | undefined> {
  try {
    return await cache.ingest(digest, { algorithm: splitDigest(digest).algorithm, size, wait: true, signal })
  } catch {
    signal.throwIfAborted()
    return undefined
  }
}

/** Resolves to whether the cache took the blob. The commit verifies it, also the bytes of an earlier download. */
async function copyRest(
  shared: Store,
  { digest, size }: BlobInfo,
  writer: BlobWriter,
  signal: AbortSignal,
): Promise<boolean> {
  for await (const chunk of shared.read(digest, { signal, offset: writer.offset, verify: 'never', borrow: true })) {
    if (!(await succeeds(writer, writer.write(chunk)))) return false
  }
  return succeeds(writer, writer.commit({ digest, size }))
}

async function succeeds(writer: BlobWriter, act: Promise<unknown>): Promise<boolean> {
  try {
    await act
    return true
  } catch {
    await writer.abort().catch(() => undefined)
    return false
  }
}
