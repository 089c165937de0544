import { readFile, stat, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { isErrno } from '../../internal/errno.ts'
import { isLocked, type Lock, type LockPlace, tryLock } from '../../internal/locks/lock.ts'
import { createOwner } from '../../internal/locks/owner.ts'
import { entryNames } from '../keeping/entry-names.ts'
import { ownDirectory } from '../keeping/own-directory.ts'

/** Directory of the locks, beside the places. */
export const LOCKS = 'locks'

/** A holder of one of the directories of a cache mount. */
export interface Holder {
  /** Number of the directory. */
  readonly number: number
  /** True if no other step may use it meanwhile. */
  readonly exclusive: boolean
}

/**
 * The place of one cache mount:
 *
 * ```text
 * <directory>/locks/<name>       taken while a directory is chosen, created or removed
 * <directory>/<name>/about.json  the id; its modification time is the time of the last use
 *                    holders/    one lock for each running step: NUMBER-shared-… or NUMBER-alone-…
 *                    0/ 1/ …     directories of files; there are several only if steps asked for one of their own
 * ```
 */
export class CacheMountPlace {
  readonly name: string
  readonly path: string
  readonly lock: LockPlace

  constructor(directory: string, name: string) {
    this.name = name
    this.path = join(directory, name)
    this.lock = join(directory, LOCKS, name)
  }

  /** Creates the place. To be called under its lock. */
  async create(id: string): Promise<void> {
    await ownDirectory(this.path)
    await ownDirectory(join(this.path, 'holders'))
    const about = JSON.stringify({ version: 1, id })
    await writeFile(join(this.path, 'about.json'), about, { flag: 'wx' }).catch(error => {
      if (!isErrno(error, 'EEXIST')) throw error
    })
  }

  /** Notes that the mount is used now. */
  async touch(): Promise<void> {
    const now = new Date()
    await utimes(join(this.path, 'about.json'), now, now).catch(() => {})
  }

  /** Id and time of the last use; `undefined` if this is no place of a cache mount. */
  async about(): Promise<{ id: string; usedMs: number } | undefined> {
    const file = join(this.path, 'about.json')
    try {
      const { id } = JSON.parse(await readFile(file, 'utf8')) as { id?: unknown }
      return { id: String(id), usedMs: (await stat(file)).mtimeMs }
    } catch {
      return undefined
    }
  }

  /** The directory of files of a number. */
  files(number: number): string {
    return join(this.path, String(number))
  }

  /** Registers this process as a holder, until the lock is released. */
  async hold({ number, exclusive }: Holder): Promise<Lock> {
    const { nonce } = await createOwner()
    const file = join(this.path, 'holders', `${number}-${exclusive ? 'alone' : 'shared'}-${nonce}`)
    // The name is new, so nothing can hold this lock.
    return (await tryLock(file)) as Lock
  }

  /** The holders that are not certainly dead. */
  async holders(): Promise<Holder[]> {
    // SAFETY: a directory that cannot be read may name holders, so nothing may take the mount for free.
    const names = await entryNames(join(this.path, 'holders'))
    const held: Holder[] = []
    for (const name of names) {
      const [, number, how] = /^(\d+)-(alone|shared)-[0-9a-f]+$/.exec(name) ?? []
      if (number === undefined || !(await isLocked(join(this.path, 'holders', name)))) continue
      held.push({ number: Number(number), exclusive: how === 'alone' })
    }
    return held
  }
}
