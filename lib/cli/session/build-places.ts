import { join, resolve } from 'node:path'

/** Directories in a store for what builds keep. */
export interface BuildPlaces {
  /** Unpacked layers, mounts and copies. */
  readonly snapshots: string
  /** Cache mounts of RUN. */
  readonly cacheMounts: string
}

/** Returns the directories of a store in a directory. */
export function buildPlaces(store: string): BuildPlaces {
  const own = join(resolve(store), '.layerstore')
  return { snapshots: join(own, 'snapshots'), cacheMounts: join(own, 'cache', 'mounts') }
}
