import type { Stats } from 'node:fs'
import { chmod, lstat, mkdir, readlink, rmdir, stat, unlink, utimes, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { SandboxError } from '../../../errors/index.ts'
import { isErrno } from '../../../internal/errno.ts'
import type { ProcessMount } from '../executor.ts'
import { NEW_FILESYSTEM_MODE } from './devices.ts'

const MOST_LINKS = 40

/** A mount point that was created, and the times of the directory that it is in. */
interface Stub {
  readonly path: string
  readonly type: 'directory' | 'file'
  readonly atime: Date
  readonly mtime: Date
}

/**
 * Creates missing mount points in a root filesystem, and removes them after the process has ended, so that they are in
 * no layer. For builds, and for executors of your own.
 *
 * SAFETY: a root filesystem is hostile: a link in it may lead out of it. Every component of a path is looked at with
 * `lstat` and links are resolved inside the root. No process runs in the root while stubs are created or removed.
 */
export class MountStubs {
  readonly #root: string
  readonly #creates: boolean
  readonly #made: Stub[] = []

  /** With `creates: false`, a missing mount point is an error. */
  constructor(root: string, { creates = true }: { readonly creates?: boolean } = {}) {
    this.#root = root
    this.#creates = creates
  }

  /**
   * Resolves to the path inside the root at which a mount lies: links are resolved, and what is missing is created.
   *
   * @throws {@link SandboxError} `ERR_SANDBOX_MOUNT` if the target is the root, leads through a file, is of the other
   * type, or has too many links.
   */
  async make(mount: ProcessMount): Promise<string> {
    if (mount.type === 'tmpfs') return this.#point(mount.target, 'directory', mount.mode ?? NEW_FILESYSTEM_MODE)
    const isFile = !(await stat(mount.source)).isDirectory()
    return this.#point(mount.target, isFile ? 'file' : 'directory')
  }

  /** The same for a directory. */
  makeDirectory(target: string): Promise<string> {
    return this.#point(target, 'directory')
  }

  async #point(target: string, type: 'directory' | 'file', mode?: number): Promise<string> {
    const missing = target.split('/').filter(name => name !== '' && name !== '.')
    let path = ''
    let links = 0
    while (missing.length > 0) {
      const name = missing.shift() as string
      if (name === '..') {
        path = path.slice(0, Math.max(0, path.lastIndexOf('/')))
        continue
      }
      const at = `${path}/${name}`
      const stats = await this.#look(at)
      if (stats?.isSymbolicLink()) {
        if (++links > MOST_LINKS) throw badTarget(target, 'has too many links')
        const to = await readlink(join(this.#root, at))
        if (to.startsWith('/')) path = ''
        missing.unshift(...to.split('/').filter(part => part !== '' && part !== '.'))
        continue
      }
      const wanted = missing.length > 0 ? 'directory' : type
      if (!stats) await this.#create(at, wanted, missing.length > 0 ? undefined : mode)
      else if (stats.isDirectory() !== (wanted === 'directory'))
        throw badTarget(target, `needs ${at} to be a ${wanted}`)
      path = at
    }
    if (path === '') throw badTarget(target, 'is the root')
    return path
  }

  async #look(path: string): Promise<Stats | undefined> {
    try {
      return await lstat(join(this.#root, path))
    } catch (error) {
      if (isErrno(error, 'ENOENT')) return undefined
      throw badTarget(path, 'cannot be looked at', error)
    }
  }

  async #create(path: string, type: Stub['type'], mode: number | undefined): Promise<void> {
    if (!this.#creates) throw badTarget(path, 'does not exist, and the mount that it is in is read-only')
    try {
      await this.#createNow(path, type, mode)
    } catch (error) {
      throw badTarget(path, 'cannot be created', error)
    }
  }

  async #createNow(path: string, type: Stub['type'], mode: number | undefined): Promise<void> {
    const place = join(this.#root, path)
    const { atime, mtime } = await lstat(dirname(place))
    if (type === 'directory') await mkdir(place)
    else await writeFile(place, '', { flag: 'wx' })
    this.#made.push({ path, type, atime, mtime })
    // The umask of this process has no say.
    await chmod(place, mode ?? (type === 'directory' ? 0o755 : 0o644))
  }

  /** Removes what was created, if it is still empty, and restores the times of the directories above. */
  async remove(): Promise<void> {
    for (const { path, type, atime, mtime } of this.#made.splice(0).reverse()) {
      if (!(await this.#isReal(dirname(path)))) continue
      const place = join(this.#root, path)
      try {
        if (type === 'directory') await rmdir(place)
        else if ((await lstat(place)).size === 0) await unlink(place)
        else continue
        await utimes(dirname(place), atime, mtime)
      } catch {
        // Not empty, or gone: what the process made of it is a change like any other.
      }
    }
  }

  /** Whether every component of a path is a directory, and none a link. */
  async #isReal(path: string): Promise<boolean> {
    const names = path.split('/').filter(name => name !== '')
    for (const i of names.keys()) {
      const stats = await lstat(join(this.#root, ...names.slice(0, i + 1))).catch(() => undefined)
      if (!stats?.isDirectory()) return false
    }
    return true
  }
}

function badTarget(target: string, problem: string, cause?: unknown): SandboxError {
  const why = cause instanceof Error ? `: ${cause.message}` : ''
  return new SandboxError('ERR_SANDBOX_MOUNT', `the mount point ${JSON.stringify(target)} ${problem}${why}`, { cause })
}
