import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { writeFileAtomic } from '../../../internal/atomic-file.ts'
import { isErrno } from '../../../internal/errno.ts'
import { ensureDirectory } from '../link-once.ts'
import { createOwner, type Owner, parseOwner } from '../owner.ts'
import type { SyncedPlaces } from '../synced-places.ts'

/** Says that a store is open whose blobs may not be synced, in `.layerstore/unsynced/<pid>-<nonce>.json`. */
export interface BatchMarker {
  readonly name: string
  /** Unknown if the file cannot be understood; then it may belong to anybody. */
  readonly owner: Owner | undefined
  /** By the clock of the file system: blobs that are older are none of its. */
  readonly sinceMs: number
}

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

/** The markers of all stores that are open, or were when their process or the machine died. */
export async function readMarkers({ places }: Pick<SyncedPlaces, 'places'>): Promise<BatchMarker[]> {
  const markers = await Promise.all((await namesIn(places.unsynced)).map(name => readMarker(places.unsynced, name)))
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
  const path = join(directory, name)
  try {
    const { mtimeMs } = await stat(path)
    return { name, owner: parseOwner(await readFile(path, 'utf8')), sinceMs: mtimeMs - MARGIN_MS }
  } catch (error) {
    // Its store was closed meanwhile.
    if (isErrno(error, 'ENOENT')) return undefined
    throw error
  }
}
