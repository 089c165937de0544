import { type Digest, splitDigest } from '../../digest/index.ts'
import type { DirectorySync } from '../directory-sync.ts'
import type { Places } from './places.ts'

/** Paths of a store, and the syncs that make names durable. */
export interface SyncedPlaces {
  readonly places: Places
  readonly syncs: DirectorySync
}

/** Makes the creation or removal of a blob's name durable. */
export async function syncBlobName({ places, syncs }: SyncedPlaces, digest: Digest): Promise<void> {
  await syncs.sync(places.directory(`blobs/${splitDigest(digest).algorithm}`))
}
