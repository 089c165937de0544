import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { writeFileAtomic } from '../../internal/atomic-file.ts'
import { isErrno } from '../../internal/errno.ts'
import { ensureDirectory } from '../link-once.ts'
import { createOwner, type Owner, parseOwner } from '../locks/owner.ts'
import { readRecord } from '../places/record-file.ts'
import type { SyncedPlaces } from '../places/synced-places.ts'

/** Says that a store is open whose blobs may not be synced, in `.layerstore/unsynced/<pid>-<nonce>.json`. */
export interface BatchMarker {
  readonly name: string
  /** Unknown if the file cannot be understood; then it may belong to anybody. */
  readonly owner: Owner | undefined
  /** By the clock of the file system: blobs that are older are none of its. */
  readonly sinceMs: number
}

/** SAFETY: bounds what is read into memory; a marker has some hundred bytes. */
const LIMIT = 64 * 1024
/** Clocks are set back by a little now and then. */
const MARGIN_MS = 1000

/** Writes a marker; durable, so that it outlives a power cut that the blobs may not. Resolves to its name. */
export async function writeMarker({ places, syncs }: SyncedPlaces): Promise<string> {
  const owner = await createOwner()
  const name = `${owner.pid}-${owner.nonce}.json`
  await ensureDirectory(places.unsynced)
  await syncs.sync(places.own)
  await writeFileAtomic(join(places.unsynced, name), Buffer.from(JSON.stringify(owner)))
  return name
}

/**
 * The markers of all stores that are open, or were when their process or the machine died. What is no regular file is no marker
 * of this library and counts for nothing.
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
  // Absent: its store was closed meanwhile.
  if (found.kind === 'absent' || found.kind === 'odd') return undefined
  const owner = found.kind === 'file' ? parseOwner(found.bytes.toString('utf8')) : undefined
  return { name, owner, sinceMs: found.stats.mtimeMs - MARGIN_MS }
}
