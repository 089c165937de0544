import { lstat, mkdir } from 'node:fs/promises'
import { SandboxError } from '../../errors/index.ts'

/**
 * Creates a directory of derived data, with its parents, unless it exists. Only this user may enter it, because files
 * of setuid programs and of other users' processes may be in it.
 *
 * SAFETY: another user may have made the store. A symbolic link in the place of the directory would let this process
 * write to, and remove, files elsewhere. Every use of the directory goes through this check.
 *
 * @throws {@link SandboxError} `ERR_SANDBOX_DIRECTORY` if something else has the place of the directory.
 */
export async function ownDirectory(path: string): Promise<void> {
  await mkdir(path, { recursive: true, mode: 0o700 }).catch(error => {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  })
  if ((await lstat(path)).isDirectory()) return
  throw new SandboxError('ERR_SANDBOX_DIRECTORY', `${path} is not a directory: put a directory in its place`)
}
