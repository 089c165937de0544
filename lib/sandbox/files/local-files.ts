import { chmod, chown, lstat, mkdir, rm, writeFile } from 'node:fs/promises'
import { unpackArchives } from '../../rootfs/index.ts'
import { MountStubs } from '../executors/view/mount-stubs.ts'
import type { FileAttributes, StackFiles } from './stack-files.ts'

/**
 * {@link StackFiles} by the calls of this process. Owners are applied as root; files of another user belong to that
 * user.
 */
export function localFiles(): StackFiles {
  return {
    async makeDirectory(path, attributes, { recursive = false } = {}) {
      const first = await mkdir(path, { recursive })
      // A recursive call resolves to `undefined` if the directory exists.
      if (!recursive || first !== undefined) await apply(path, attributes)
    },
    async writeFile(path, content, attributes) {
      // SAFETY: the content may be a secret: no other user may read it before it has its mode.
      await writeFile(path, content, { flag: 'wx', mode: 0o600 })
      await apply(path, attributes)
    },
    async change(path, attributes) {
      if ((await lstat(path)).isSymbolicLink()) throw new Error(`${path} is a symbolic link`)
      await apply(path, attributes)
    },
    remove: path => rm(path, { recursive: true, force: true }),
    async unpack(path, what, open, { signal } = {}) {
      await unpackArchives([{ name: what, open }], path, { signal })
    },
    async makeMountPoints(root, mounts) {
      const stubs = new MountStubs(root)
      for (const mount of mounts) await stubs.make(mount)
      return stubs
    },
  }
}

/** Order matters: a change of the owner clears the set-id bits of the mode. */
async function apply(path: string, { mode, uid, gid }: FileAttributes): Promise<void> {
  if (process.getuid?.() === 0) await chown(path, uid, gid)
  await chmod(path, mode)
}
