import type { WorkdirStep } from '../../dockerfile/index.ts'
import type { UnionView } from '../../rootfs/index.ts'
import { resolveUser } from '../../sandbox/index.ts'
import type { TarInput } from '../../tar/index.ts'
import { missingDirectories } from './missing-directories.ts'

/**
 * Yields the directories that WORKDIR creates, owned by the user of the stage; none if the directory exists.
 *
 * @throws {@link BuildError} `ERR_BUILD_COPY_CONFLICT` if a part of the path is a file;
 * `ERR_BUILD_UNKNOWN_ACCOUNT` for a user that the image does not have.
 */
export async function* workdirEntries(step: WorkdirStep, view: UnionView): AsyncGenerator<TarInput, void, undefined> {
  const missing = missingDirectories(step.path, view)
  if (missing.length === 0) return
  const { uid, gid } = await resolveUser(step.user, view)
  for (const path of missing) yield { path, type: 'directory', mode: 0o755, uid, gid, mtime: 0 }
}
