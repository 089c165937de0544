import type { DirectorySync } from './directory-sync.ts'
import type { Places } from './layout.ts'

/** Where things are in a store, and how their names become durable. */
export interface SyncedPlaces {
  readonly places: Places
  readonly syncs: DirectorySync
}
