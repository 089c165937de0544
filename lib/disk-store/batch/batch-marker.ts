import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { writeFileAtomic } from '../../internal/atomic-file.ts'
import { isErrno } from '../../internal/errno.ts'
import { ensureDirectory } from '../../internal/link-once.ts'
import { createOwner, type Owner, parseOwner } from '../../internal/locks/owner.ts'
import { readRecord } from '../../internal/record-file.ts'
import type { SyncedPlaces } from '../places/synced-places.ts'

/** Marker of an open store that may have unsynced blobs, in `.layerstore/unsynced/<pid>-<nonce>.json`. */
export interface BatchMarker {
  readonly name: string
  /** Process that wrote the marker; absent if the file is invalid. */
  readonly owner: Owner | undefined
  /** Start of the batch by the clock of the file system: older blobs do not belong to it. */
  readonly sinceMs: number
}

/**
 * SAFETY: limits the bytes read into memory: another program may write a larger file. A marker has about a hundred
 * bytes.
 */
const LIMIT = 64 * 1024
/** Tolerance for clocks that are set back a little. */
const MARGIN_MS = 1000

/** Writes a marker and syncs it, so that it survives a power cut that unsynced blobs may not. Resolves to its name. */
export async function writeMarker({ places, syncs }: SyncedPlaces): Promise<string> {
  const owner = await createOwner()
  const name = `${owner.pid}-${owner.nonce}.json`
  await ensureDirectory(places.unsynced)
  await syncs.sync(places.own)
  await writeFileAtomic(join(places.unsynced, name), Buffer.from(JSON.stringify(owner)))
  return name
}

/**
 * Reads the markers of all open stores, and of those whose process or machine died. An entry that is not a regular file
 * is not a marker of this library and is ignored.
 */
export async function readMarkers({ places }: Pick<SyncedPlaces, 'places'>): Promise<BatchMarker[]> {
  const directory = places.unsynced
  const markers = await Promise.all((await namesIn(directory)).map(name => readMarker(directory, name)))
  return markers.filter(marker => marker !== undefined)
}

async function namesIn(directory: string): Promise<string[]> {
  try {
    return (await readdir(directory)).filter(name => name.endsWith('.json'))
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return []
    throw error
  }
}

async function readMarker(directory: string, name: string): Promise<BatchMarker | undefined> {
  const found = await readRecord(join(directory, name), { limit: LIMIT })
  // Another process removed it when it closed its store.
  if (found.kind === 'absent' || found.kind === 'odd') return undefined
  const owner = found.kind === 'file' ? parseOwner(found.bytes.toString('utf8')) : undefined
  return { name, owner, sinceMs: found.stats.mtimeMs - MARGIN_MS }
}
