import type { ProcessMount } from '../executor.ts'

/** The last of several mounts that a path lies in, below its own target. */
export function coveringMount(target: string, mounts: readonly ProcessMount[]): ProcessMount | undefined {
  return mounts.findLast(mount => target.startsWith(`${mount.target}/`))
}
