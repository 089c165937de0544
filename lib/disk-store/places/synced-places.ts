import { type Digest, splitDigest } from '../../digest/index.ts'
import type { DirectorySync } from '../directory-sync.ts'
import type { Places } from './places.ts'

/** Where things are in a store, and how their names become durable. */
export interface SyncedPlaces {
  readonly places: Places
  readonly syncs: DirectorySync
}

/** Makes the name of a blob survive a power cut, whether it has appeared or gone. */
export async function syncBlobName({ places, syncs }: SyncedPlaces, digest: Digest): Promise<void> {
  await syncs.sync(places.directory(`blobs/${splitDigest(digest).algorithm}`))
}
