import { randomBytes } from 'node:crypto'
import { rename } from 'node:fs/promises'
import { join } from 'node:path'
import type { AbortOptions } from '../../internal/abort.ts'
import { withLock } from '../../internal/locks/lock.ts'
import { directorySize } from '../keeping/directory-size.ts'
import { entryNames } from '../keeping/entry-names.ts'
import {
  chooseToDrop,
  type DroppedDirectory,
  type KeepingPolicy,
  type KeepingResult,
  type KeptDirectory,
  keepingResult,
} from '../keeping/keeping-policy.ts'
import { ownDirectory } from '../keeping/own-directory.ts'
import { removeDirectory } from '../keeping/remove-directory.ts'
import { CacheMountPlace, LOCKS } from './cache-mount-place.ts'

/** End of the name of a place that is being removed. */
const GONE = '.gone'

/** Lists the cache mounts in a directory, in no order. Changes nothing. */
export async function listCacheMounts(directory: string, options: AbortOptions = {}): Promise<KeptDirectory[]> {
  const found: KeptDirectory[] = []
  for (const name of await entryNames(directory)) {
    const place = new CacheMountPlace(directory, name)
    const about = /^[0-9a-f]+$/.test(name) ? await place.about() : undefined
    if (!about) continue
    const bytes = await directorySize(place.path, options)
    const inUse = (await place.holders()).length > 0
    found.push({ name, about: about.id, bytes, usedMs: about.usedMs, inUse })
  }
  return found
}

/**
 * Removes the cache mounts that a policy drops. Builds may run meanwhile: a mount that a running step uses stays, and
 * so does one that was used since it was listed.
 *
 * @throws {@link FormatError} `ERR_INVALID_ARGUMENT` for a limit that is no number from 0; {@link SandboxError}
 * `ERR_SANDBOX_DIRECTORY`.
 */
export async function collectCacheMounts(directory: string, policy: KeepingPolicy = {}): Promise<KeepingResult> {
  const { signal, dryRun = false, remove = removeDirectory } = policy
  const found = await listCacheMounts(directory, { signal })
  const chosen = chooseToDrop(found, policy)
  if (dryRun) return keepingResult(found, chosen)
  if (found.length > 0) await ownDirectory(join(directory, LOCKS))
  for (const name of await entryNames(directory)) {
    if (name.endsWith(GONE)) await remove(join(directory, name))
  }
  const dropped: DroppedDirectory[] = []
  for (const one of chosen) {
    signal?.throwIfAborted()
    const gone = await takeAway(new CacheMountPlace(directory, one.name), one, signal)
    if (gone === undefined) continue
    await remove(gone)
    dropped.push(one)
  }
  return keepingResult(found, dropped)
}

/** Under its lock a place disappears at once. Resolves to where its files are then; `undefined` if it is in use. */
async function takeAway(
  place: CacheMountPlace,
  { usedMs }: KeptDirectory,
  signal: AbortSignal | undefined,
): Promise<string | undefined> {
  const take = async () => {
    if ((await place.about())?.usedMs !== usedMs || (await place.holders()).length > 0) return undefined
    const gone = `${place.path}.${randomBytes(4).toString('hex')}${GONE}`
    await rename(place.path, gone)
    return gone
  }
  return withLock(place.lock, take, { signal })
}
