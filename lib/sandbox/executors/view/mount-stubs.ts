import {
  chmodSync,
  lstatSync,
  mkdirSync,
  readlinkSync,
  rmdirSync,
  type Stats,
  statSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
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
 *
 * PERF: synchronous inside: a step makes fifty such calls, of 10 µs each, and each wait for a thread takes longer.
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
    const isFile = !statSync(mount.source).isDirectory()
    return this.#point(mount.target, isFile ? 'file' : 'directory')
  }

  /** The same for a directory. */
  async makeDirectory(target: string): Promise<string> {
    return this.#point(target, 'directory')
  }

  #point(target: string, type: 'directory' | 'file', mode?: number): string {
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
      const stats = this.#look(at)
      if (stats?.isSymbolicLink()) {
        if (++links > MOST_LINKS) throw badTarget(target, 'has too many links')
        const to = readlinkSync(join(this.#root, at))
        if (to.startsWith('/')) path = ''
        missing.unshift(...to.split('/').filter(part => part !== '' && part !== '.'))
        continue
      }
      const wanted = missing.length > 0 ? 'directory' : type
      if (!stats) this.#create(at, wanted, missing.length > 0 ? undefined : mode)
      else if (stats.isDirectory() !== (wanted === 'directory'))
        throw badTarget(target, `needs ${at} to be a ${wanted}`)
      path = at
    }
    if (path === '') throw badTarget(target, 'is the root')
    return path
  }

  #look(path: string): Stats | undefined {
    try {
      return lstatSync(join(this.#root, path))
    } catch (error) {
      if (isErrno(error, 'ENOENT')) return undefined
      throw badTarget(path, 'cannot be looked at', error)
    }
  }

  #create(path: string, type: Stub['type'], mode: number | undefined): void {
    if (!this.#creates) throw badTarget(path, 'does not exist, and the mount that it is in is read-only')
    try {
      this.#createNow(path, type, mode)
    } catch (error) {
      throw badTarget(path, 'cannot be created', error)
    }
  }

  #createNow(path: string, type: Stub['type'], mode: number | undefined): void {
    const place = join(this.#root, path)
    const { atime, mtime } = lstatSync(dirname(place))
    if (type === 'directory') mkdirSync(place)
    else writeFileSync(place, '', { flag: 'wx' })
    this.#made.push({ path, type, atime, mtime })
    // The umask of this process has no say.
    chmodSync(place, mode ?? (type === 'directory' ? 0o755 : 0o644))
  }

  /** Removes what was created, if it is still empty, and restores the times of the directories above. */
  async remove(): Promise<void> {
    for (const { path, type, atime, mtime } of this.#made.splice(0).reverse()) {
      const place = join(this.#root, path)
      try {
        if (!this.#isReal(dirname(path))) continue
        if (type === 'directory') rmdirSync(place)
        else if (lstatSync(place).size === 0) unlinkSync(place)
        else continue
        utimesSync(dirname(place), atime, mtime)
      } catch {
        // Not empty, or gone: what the process made of it is a change like any other.
      }
    }
  }

  /** Whether every component of a path is a directory, and none a link. */
  #isReal(path: string): boolean {
    const names = path.split('/').filter(name => name !== '')
    for (const i of names.keys()) {
      const stats = lstatSync(join(this.#root, ...names.slice(0, i + 1)), { throwIfNoEntry: false })
      if (!stats?.isDirectory()) return false
    }
    return true
  }
}

function badTarget(target: string, problem: string, cause?: unknown): SandboxError {
  const why = cause instanceof Error ? `: ${cause.message}` : ''
  return new SandboxError('ERR_SANDBOX_MOUNT', `the mount point ${JSON.stringify(target)} ${problem}${why}`, { cause })
}
