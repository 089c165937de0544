import { randomBytes } from 'node:crypto'
import { rename } from 'node:fs/promises'
import { join } from 'node:path'
import type { Digest } from '../../../digest/index.ts'
import type { AbortOptions } from '../../../internal/abort.ts'
import { isLocked, withLock } from '../../../internal/locks/lock.ts'
import { directorySize } from '../../keeping/directory-size.ts'
import { entryNames } from '../../keeping/entry-names.ts'
import {
  chooseToDrop,
  type DroppedDirectory,
  type KeepingPolicy,
  type KeepingResult,
  type KeptDirectory,
  keepingResult,
} from '../../keeping/keeping-policy.ts'
import { removeDirectory } from '../../keeping/remove-directory.ts'
import { heldLayers } from './held-layers.ts'
import { readAbout } from './layer-about.ts'
import { removeUnfinished, UNFINISHED } from './layer-snapshots.ts'
import { SnapshotPlaces } from './snapshot-places.ts'

/** End of the name of a layer that is being removed. */
const GONE = '.gone'

/** Limits on unpacked layers. */
export interface SnapshotPolicy extends KeepingPolicy {
  /** Returns whether a layer is still of use; one that no image needs is removed. @defaultValue all are */
  needs?(layer: Digest): boolean | Promise<boolean>
}

/** Lists the unpacked layers in a directory of {@link machineSnapshots}, in no order. Changes nothing. */
export async function listSnapshots(directory: string, options: AbortOptions = {}): Promise<KeptDirectory[]> {
  return (await findSnapshots(await SnapshotPlaces.find(directory), options)).map(({ layer: _, ...found }) => found)
}

/**
 * Removes the unpacked layers that a policy drops, those of earlier boots, and what killed processes have left of them.
 * Builds may run meanwhile: a layer that an open stack holds stays, and a stack that needs a removed one unpacks it
 * again.
 *
 * @throws {@link FormatError} `ERR_INVALID_ARGUMENT` for a limit that is no number from 0.
 */
export async function collectSnapshots(directory: string, policy: SnapshotPolicy = {}): Promise<KeepingResult> {
  const places = await SnapshotPlaces.find(directory)
  const remove = policy.remove ?? removeDirectory
  if (!policy.dryRun) for (const path of await places.earlierBoots()) await remove(path)
  return removeSnapshots(places, policy)
}

/** Removes the layers of this boot that a policy drops. */
export async function removeSnapshots(places: SnapshotPlaces, policy: SnapshotPolicy): Promise<KeepingResult> {
  const { signal, dryRun, remove = removeDirectory } = policy
  const found = await findSnapshots(places, { signal })
  const choose = async (held: ReadonlySet<string>) => chosenOf(markHeld(found, held), policy)
  if (dryRun || found.length === 0) return keepingResult(found, await choose(await heldLayers(places)))
  // SAFETY: 1. A stack notes its layers, then looks whether a collection decides, then looks for the layers. 2. This
  // process takes the lock, then reads the notes. So either the note is seen here, or the stack waits for the lock and
  // finds the layer gone. The files are removed after the lock.
  const dropped = await withLock(places.collectLock, () => take(places, choose), { signal })
  for (const name of await entryNames(places.layers)) {
    if (name.endsWith(GONE)) await remove(join(places.layers, name))
    if (name.endsWith(UNFINISHED)) await removeAbandoned(places, name, remove)
  }
  return keepingResult(found, dropped)
}

interface FoundLayer extends KeptDirectory {
  readonly layer: Digest
}

async function findSnapshots(places: SnapshotPlaces, options: AbortOptions): Promise<FoundLayer[]> {
  const held = await heldLayers(places)
  const found: FoundLayer[] = []
  for (const name of await entryNames(places.layers)) {
    const about = /^[0-9a-f]+$/.test(name) ? await readAbout(join(places.layers, name)) : undefined
    if (!about) continue
    const bytes = await directorySize(join(places.layers, name), options)
    const { diffId, layer, usedMs } = about
    found.push({ name, about: diffId, bytes, usedMs, inUse: held.has(name), layer })
  }
  return found
}

function markHeld(found: readonly FoundLayer[], held: ReadonlySet<string>): FoundLayer[] {
  return found.map(one => ({ ...one, inUse: held.has(one.name) }))
}

async function chosenOf(found: readonly FoundLayer[], policy: SnapshotPolicy): Promise<DroppedDirectory[]> {
  const useless: DroppedDirectory[] = []
  for (const { layer, ...one } of found) {
    const isNeeded = one.inUse || (await policy.needs?.(layer)) !== false
    if (!isNeeded) useless.push({ ...one, why: 'its layer is not in the store' })
  }
  const rest = found.filter(({ name }) => !useless.some(one => one.name === name)).map(({ layer: _, ...one }) => one)
  return [...useless, ...chooseToDrop(rest, policy)]
}

/** Takes away what is chosen. A layer that was used since it was listed stays. */
async function take(
  places: SnapshotPlaces,
  choose: (held: ReadonlySet<string>) => Promise<DroppedDirectory[]>,
): Promise<DroppedDirectory[]> {
  const dropped: DroppedDirectory[] = []
  for (const one of await choose(await heldLayers(places))) {
    const directory = join(places.layers, one.name)
    if ((await readAbout(directory))?.usedMs !== one.usedMs) continue
    await rename(directory, `${directory}.${randomBytes(4).toString('hex')}${GONE}`)
    dropped.push(one)
  }
  return dropped
}

async function removeAbandoned(places: SnapshotPlaces, name: string, remove: typeof removeDirectory): Promise<void> {
  const lock = join(places.locks, name.slice(0, -UNFINISHED.length))
  if (!(await isLocked(lock))) await withLock(lock, () => removeUnfinished(join(places.layers, name), remove))
}
