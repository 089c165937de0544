import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { SandboxError } from '../../../../errors/index.ts'
import { makeStackDirectory, ownStack, sweepStacks } from '../../stack-owner.ts'
import { mountOverlay, unmount } from './overlay-mount.ts'

/** Beginning of the names of directories that are tried in. */
const PREFIX = 'try-'

/** Removes what a killed process has left. */
async function removeTry(place: string): Promise<void> {
  await unmount(join(place, 'target')).catch(() => {})
  await rm(place, { recursive: true, force: true })
}

/**
 * Resolves to whether the kernel refuses to mount any overlay in a directory: on a filesystem that cannot be part of
 * one, or for a user whose namespace may not mount them.
 */
export async function refusesOverlays(directory: string): Promise<boolean> {
  await mkdir(directory, { recursive: true, mode: 0o700 })
  await sweepStacks({ directory, prefix: PREFIX, remove: removeTry })
  const place = await makeStackDirectory(directory, PREFIX)
  const [lower, upper, work, target] = ['lower', 'upper', 'work', 'target'].map(name => join(place, name)) as [
    string,
    string,
    string,
    string,
  ]
  try {
    await ownStack(place)
    for (const path of [lower, upper, work, target]) await mkdir(path)
    await mountOverlay({ directory: place, lower: [lower], upper, work, target })
    await unmount(target)
    return false
  } catch (error) {
    if (SandboxError.is(error)) return true
    throw error
  } finally {
    await rm(place, { recursive: true, force: true })
  }
}
