import { lstat, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { exists, removeEmpty, removeFile } from '../../internal/link-once.ts'
import { type Lock, tryLock } from '../../internal/locks/lock.ts'
import type { DiskContext } from '../disk-context.ts'
import type { Places } from '../places/places.ts'
import { SESSION_PREFIX } from './put-session.ts'

/** Time for which an abandoned ingest is kept, so that a writer can resume it. */
const KEEP_MS = 24 * 3_600_000

/** Directories where temporary files are created beside their final path. */
const MADE_BESIDE = ['locks', 'leases', 'unsynced', 'facts', 'indexes', 'cache'].map(name => `.layerstore/${name}`)

/**
 * Removes files of dead writers: ingests without an owner that are older than a day, and at once the directories of put
 * sessions, which cannot be resumed. Best effort: a failure is left to the next sweep.
 *
 * SAFETY: a directory name could be a symbolic link, or hold files of another program. The sweep removes only files
 * whose names it read from a checked directory, and empty directories.
 */
export async function sweepIngests({ places }: DiskContext, signal: AbortSignal): Promise<void> {
  for (const name of await namesIn(() => places.ingests)) {
    if (signal.aborted) return
    await sweepOne(places, `.layerstore/ingests/${name}`, name.startsWith(SESSION_PREFIX)).catch(() => undefined)
  }
  await sweepTemporary(() => places.root, isOursInRoot)
  for (const directory of ['.layerstore', ...MADE_BESIDE]) {
    if (signal.aborted) return
    await sweepTemporary(() => places.directory(directory), isTemporary)
  }
}

async function namesIn(directory: () => string): Promise<string[]> {
  try {
    return await readdir(directory())
  } catch {
    return []
  }
}

async function sweepTemporary(directory: () => string, isOurs: (name: string) => boolean): Promise<void> {
  for (const name of (await namesIn(directory)).filter(isOurs)) {
    await removeIfOld(() => join(directory(), name)).catch(() => undefined)
  }
}

/** Whether a name has the form of this library's temporary files. Other files are never removed. */
function isTemporary(name: string): boolean {
  return /\.\d+-[0-9a-f]{12,16}\.tmp$/.test(name)
}

/** The root of a layout may contain any file of another program. */
function isOursInRoot(name: string): boolean {
  return /^(index\.json|oci-layout)\./.test(name) && isTemporary(name)
}

async function removeIfOld(path: () => string): Promise<void> {
  if (await isOld(path())) await removeFile(path())
}

async function sweepOne(places: Places, name: string, session: boolean): Promise<void> {
  const owner = () => join(places.directory(name), 'owner.json')
  const reclaimable = (session && (await exists(owner()))) || (await isOldIngest(places.directory(name)))
  if (!reclaimable) return
  const lock = await tryLock(owner)
  if (!('holder' in lock)) await empty(() => places.directory(name), lock, session)
}

async function empty(directory: () => string, lock: Lock, session: boolean): Promise<void> {
  try {
    // Checked again: another process may have resumed and released the ingest before this one took the lock.
    if (!session && !(await isOldIngest(directory()))) return
    for (const name of await namesIn(directory)) {
      if (name !== 'owner.json') await removeFile(join(directory(), name)).catch(() => undefined)
    }
  } finally {
    await lock.release()
  }
  await removeEmpty(directory())
}

/** The age is that of the files: taking the lock changes the time of the directory. */
async function isOldIngest(directory: string): Promise<boolean> {
  const data = join(directory, 'data')
  return isOld((await exists(data)) ? data : directory)
}

async function isOld(path: string): Promise<boolean> {
  const age = Date.now() - (await lstat(path)).mtimeMs
  return age > KEEP_MS
}
