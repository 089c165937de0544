import { join } from 'node:path'
import type { UnionView } from '../../rootfs/index.ts'
import type { ProcessUser, StackFiles } from '../../sandbox/index.ts'
import { resolveInTree } from '../context/resolve-in-tree.ts'
import { missingDirectories } from './missing-directories.ts'

/** Root filesystem in a directory, and what its layers show of it. */
export interface WorkdirPlace {
  readonly root: string
  readonly files: StackFiles
  readonly view: UnionView
}

/**
 * Creates the working directory of a process, owned by its user. It stays, as it does in the reference. Resolves to its
 * path without links, which is the one that a shell in the reference finds.
 */
export async function makeWorkdir(place: WorkdirPlace, path: string, { uid, gid }: ProcessUser): Promise<string> {
  for (const missing of missingDirectories(path, place.view)) {
    await place.files.makeDirectory(join(place.root, missing), { mode: 0o755, uid, gid })
  }
  const { path: real } = resolveInTree(place.view, path)
  return real === '.' ? '/' : `/${real}`
}
