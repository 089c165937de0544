import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { AbortOptions } from '../../../internal/abort.ts'
import { removeSnapshots } from './collect-snapshots.ts'
import { readAbout } from './layer-about.ts'
import type { SnapshotPlaces } from './snapshot-places.ts'

/**
 * Removes the least recently used layers until the rest fits.
 *
 * PERF: measuring a layer reads the state of each of its files. Nothing is measured while the bytes that the layers
 * wrote are under half of the limit: small files may take twice as much on the disk.
 */
export async function fitSnapshots(places: SnapshotPlaces, maxBytes: number, options: AbortOptions): Promise<void> {
  let written = 0
  for (const name of await readdir(places.layers)) written += (await readAbout(join(places.layers, name)))?.bytes ?? 0
  if (written > maxBytes / 2) await removeSnapshots(places, { ...options, maxBytes })
}
