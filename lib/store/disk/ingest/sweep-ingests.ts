import { lstat, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { DiskContext } from '../disk-context.ts'
import { exists } from '../link-once.ts'
import { type Lock, tryLock } from '../lock.ts'
import { removeEmpty } from './ingest-place.ts'
import { SESSION_PREFIX } from './put-session.ts'

/** An ingest that nobody owns is kept this long for somebody to go on with it. */
const KEEP_MS = 24 * 3_600_000

/**
 * Removes what dead writers left: ingests without an owner that are older than a day, and at once what belonged to
 * puts, which cannot be resumed. Best effort: whatever goes wrong is left for the next time.
 */
export async function sweepIngests(context: DiskContext, signal: AbortSignal): Promise<void> {
  const { ingests, locks, root, own, leases, unsynced } = context.places
  for (const name of await namesIn(ingests)) {
    if (signal.aborted) return
    await sweepOne(join(ingests, name), name.startsWith(SESSION_PREFIX)).catch(() => undefined)
  }
  const ours = [own, locks, leases, unsynced, join(own, 'facts'), join(own, 'indexes')]
  for (const directory of [root, ...ours]) {
    if (signal.aborted) return
    const leftovers = (await namesIn(directory)).filter(directory === root ? isOursInRoot : isTemporary)
    for (const name of leftovers) await removeIfOld(join(directory, name)).catch(() => undefined)
  }
}

function namesIn(directory: string): Promise<string[]> {
  return readdir(directory).catch(() => [])
}

/** The form of names that this library gives to files that are about to be renamed. Others are never touched. */
function isTemporary(name: string): boolean {
  return /\.\d+-[0-9a-f]{12,16}\.tmp$/.test(name)
}

/** Beside the layout there may be anything. */
function isOursInRoot(name: string): boolean {
  return /^(index\.json|oci-layout)\./.test(name) && isTemporary(name)
}

async function removeIfOld(path: string): Promise<void> {
  if (await isOld(path)) await rm(path, { force: true })
}

async function sweepOne(directory: string, session: boolean): Promise<void> {
  const ownerPath = join(directory, 'owner.json')
  const reclaimable = (session && (await exists(ownerPath))) || (await isOldIngest(directory))
  if (!reclaimable) return
  const lock = await tryLock(ownerPath)
  if (!('holder' in lock)) await empty(directory, lock, session)
}

async function empty(directory: string, lock: Lock, session: boolean): Promise<void> {
  try {
    // Looked at again: somebody may have resumed it, and left it again, before it was ours.
    if (!session && !(await isOldIngest(directory))) return
    for (const name of await namesIn(directory)) {
      if (name !== 'owner.json') await rm(join(directory, name), { force: true, recursive: true })
    }
  } finally {
    await lock.release()
  }
  await removeEmpty(directory)
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
