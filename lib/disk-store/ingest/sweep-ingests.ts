import { lstat, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { DiskContext } from '../disk-context.ts'
import { exists, removeEmpty, removeFile } from '../link-once.ts'
import { type Lock, tryLock } from '../locks/lock.ts'
import type { Places } from '../places/places.ts'
import { SESSION_PREFIX } from './put-session.ts'

/** An ingest that nobody owns is kept this long for somebody to go on with it. */
const KEEP_MS = 24 * 3_600_000

/** Where files are made beside the place that they are renamed to. */
const MADE_BESIDE = ['locks', 'leases', 'unsynced', 'facts', 'indexes'].map(name => `.layerstore/${name}`)

/**
 * Removes what dead writers left: ingests without an owner that are older than a day, and at once what belonged to
 * puts, which cannot be resumed. Best effort: whatever goes wrong is left for the next time.
 *
 * SAFETY: it removes files only, by names that it has read from a proven directory, and directories that are empty. What
 * another program put into a directory below stays.
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

/** The form of names that this library gives to files that are about to be renamed. Others are never touched. */
function isTemporary(name: string): boolean {
  return /\.\d+-[0-9a-f]{12,16}\.tmp$/.test(name)
}

/** Beside the layout there may be anything. */
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
    // Looked at again: somebody may have resumed it, and left it again, before it was ours.
    if (!session && !(await isOldIngest(directory()))) return
    for (const name of await namesIn(directory)) {
      if (name !== 'owner.json') await removeFile(join(directory(), name)).catch(() => undefined)
    }
  } finally {
    await lock.release()
  }
  await removeEmpty(directory())
}

/** The directory itself does not tell: taking the ownership changes its time. */
async function isOldIngest(directory: string): Promise<boolean> {
  const data = join(directory, 'data')
  return isOld((await exists(data)) ? data : directory)
}

async function isOld(path: string): Promise<boolean> {
  const age = Date.now() - (await lstat(path)).mtimeMs
  return age > KEEP_MS
}
