import { chmod, chown, lstat, mkdir, rmdir, stat, unlink, utimes, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { UnionView } from '../../rootfs/index.ts'
import type { ProcessMount, ProcessUser } from '../../sandbox/index.ts'
import { missingDirectories } from './missing-directories.ts'

/** A mount point that was created, and the times of the directory that it is in. */
interface MadePoint {
  readonly path: string
  readonly type: 'directory' | 'file'
  readonly parent: { readonly atime: Date; readonly mtime: Date }
}

/**
 * Creates what a process needs in its root filesystem to see its mounts, and removes it afterwards, so that it is in no
 * layer.
 */
export class MountPoints {
  readonly #root: string
  readonly #view: UnionView
  /** Paths inside the root that were created. */
  readonly #made: MadePoint[] = []
  readonly #exists = new Set<string>()

  constructor(root: string, view: UnionView) {
    this.#root = root
    this.#view = view
  }

  /** Creates the working directory of a process. It stays, as it does in the reference. */
  async makeDirectory(path: string, { uid, gid }: Pick<ProcessUser, 'uid' | 'gid'>): Promise<void> {
    for (const missing of missingDirectories(path, this.#view)) {
      await this.#mkdir(missing)
      if (process.getuid?.() === 0) await chown(join(this.#root, missing), uid, gid)
      this.#exists.add(missing)
    }
  }

  /** Creates the mount points of mounts, where they are missing. */
  async make(mounts: readonly ProcessMount[]): Promise<void> {
    for (const mount of mounts) {
      const isFile = mount.type === 'bind' && !(await stat(mount.source)).isDirectory()
      if (isFile) await this.#makeFile(mount.target)
      else await this.#makeDirectories(mount.target)
    }
  }

  async #makeDirectories(path: string): Promise<void> {
    for (const missing of missingDirectories(path, this.#view)) {
      if (this.#exists.has(missing)) continue
      await this.#note(missing, 'directory')
      await this.#mkdir(missing)
    }
  }

  async #makeFile(path: string): Promise<void> {
    await this.#makeDirectories(dirname(path))
    const parent = this.#view.stat(dirname(path), { follow: true })?.path ?? dirname(path).slice(1)
    const at = join(parent, path.slice(path.lastIndexOf('/') + 1))
    if (this.#exists.has(at) || this.#view.stat(at)) return
    await this.#note(at, 'file')
    await writeFile(join(this.#root, at), '', { flag: 'wx', mode: 0o644 })
  }

  async #note(path: string, type: MadePoint['type']): Promise<void> {
    const { atime, mtime } = await stat(dirname(join(this.#root, path)))
    this.#made.push({ path, type, parent: { atime, mtime } })
    this.#exists.add(path)
  }

  async #mkdir(path: string): Promise<void> {
    await mkdir(join(this.#root, path))
    // `mkdir` applies the umask of this process; `chmod` does not.
    await chmod(join(this.#root, path), 0o755)
  }

  /** Removes what was created for mounts, if it is still empty. */
  async remove(): Promise<void> {
    for (const { path, type, parent } of this.#made.reverse()) {
      // SAFETY: the process may have put links anywhere; nothing is removed through one. It has ended by now.
      if (!(await this.#isReal(dirname(path)))) continue
      const place = join(this.#root, path)
      try {
        if (type === 'directory') await rmdir(place)
        else if ((await lstat(place)).size === 0) await unlink(place)
        else continue
        await utimes(dirname(place), parent.atime, parent.mtime)
      } catch {
        // Not empty, or gone: what the process made of it is part of the layer.
      }
    }
  }

  /** True if every component of a path is a directory, and none a link. */
  async #isReal(path: string): Promise<boolean> {
    const names = path.split('/').filter(name => name !== '.')
    for (const i of names.keys()) {
      const stats = await lstat(join(this.#root, ...names.slice(0, i + 1))).catch(() => undefined)
      if (!stats?.isDirectory()) return false
    }
    return true
  }
}
