import { chmod, chown, mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { UnionView } from '../../rootfs/index.ts'
import type { ProcessUser } from '../../sandbox/index.ts'
import { missingDirectories } from './missing-directories.ts'

/** Root filesystem in a directory, and what its layers show of it. */
export interface WorkdirPlace {
  readonly root: string
  readonly view: UnionView
}

/** Creates the working directory of a process, owned by its user. It stays, as it does in the reference. */
export async function makeWorkdir({ root, view }: WorkdirPlace, path: string, user: ProcessUser): Promise<void> {
  for (const missing of missingDirectories(path, view)) {
    const place = join(root, missing)
    await mkdir(place)
    // The umask of this process has no say.
    await chmod(place, 0o755)
    if (process.getuid?.() === 0) await chown(place, user.uid, user.gid)
  }
}
