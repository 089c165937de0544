import { join } from 'node:path'
import type { Digest } from '../../digest/index.ts'
import { BlobCorruptError } from '../../errors/index.ts'
import { removeFile } from '../../internal/link-once.ts'
import { createOwner, isGone } from '../../internal/locks/owner.ts'
import { syncBlobs } from '../blobs/sync-blobs.ts'
import { scanBlobs } from '../collect/scan-blobs.ts'
import type { DiskContext } from '../disk-context.ts'
import { type BatchMarker, readMarkers } from './batch-marker.ts'

/**
 * Settles the batches of dead processes. If only the process died, its blobs are complete and are synced. If the
 * machine went down, each blob is read, and `quarantine` receives the torn ones.
 */
export async function settleBatches(
  context: DiskContext,
  read: (digest: Digest) => AsyncIterable<unknown>,
  signal: AbortSignal,
): Promise<void> {
  for (const marker of await readMarkers(context)) {
    const { owner, sinceMs } = marker
    if (!(await isGone(owner, Date.now() - sinceMs, context.places.unsynced))) continue
    const digests = await storedSince(context, sinceMs, signal)
    if (await isOfThisRun(marker)) await syncBlobs(context, digests)
    else for (const digest of digests) await proveOrQuarantine(read, digest, signal)
    if (signal.aborted) return
    await removeFile(join(context.places.unsynced, marker.name))
  }
}

async function isOfThisRun({ owner }: BatchMarker): Promise<boolean> {
  const here = await createOwner()
  return owner?.host === here.host && owner.boot === here.boot && owner.boot !== ''
}

async function storedSince(context: DiskContext, sinceMs: number, signal: AbortSignal): Promise<Digest[]> {
  const found: Digest[] = []
  for await (const blobs of scanBlobs(context, { signal })) {
    for (const { digest, modifiedMs } of blobs) if (modifiedMs >= sinceMs) found.push(digest)
  }
  return found
}

/** The read moves a torn blob to quarantine. */
async function proveOrQuarantine(
  read: (digest: Digest) => AsyncIterable<unknown>,
  digest: Digest,
  signal: AbortSignal,
): Promise<void> {
  try {
    for await (const _ of read(digest)) signal.throwIfAborted()
  } catch (error) {
    if (!(error instanceof BlobCorruptError)) throw error
  }
}
