import { randomBytes } from 'node:crypto'
import { mkdir, readdir, readFile, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { FormatError, SandboxError, StoreError } from '../../../errors/index.ts'
import { writeFileAtomic } from '../../../internal/atomic-file.ts'
import { isErrno } from '../../../internal/errno.ts'
import { isLocked, type Lock, tryLock } from '../../../internal/locks/lock.ts'
import { driverOf, type Store } from '../../../store/index.ts'
import type { Executor } from '../../executors/executor.ts'
import { machineSandbox } from '../../machine-sandbox.ts'
import type { Sandbox } from '../../sandbox.ts'
import type { SnapshotDriver } from '../../snapshots/stack.ts'
import { type ContainerRecord, isContainerId, parseContainerRecord } from './container-record.ts'

/** Settings that all acts on containers share. */
export interface ContainerPlace {
  /**
   * Directory of containers, which any number of processes may share. Only a collection of the store that it is in
   * keeps the images of containers. @defaultValue `.layerstore/containers` in the directory of the store
   */
  readonly directory?: string | undefined
  /** Opens root filesystems and runs processes. @defaultValue {@link machineSandbox} with layers beside `directory` */
  readonly sandbox?: Pick<Sandbox, 'executor' | 'snapshots'> | undefined
}

const RECORD = 'container.json'
const LOCK = 'lock'
/** Beginning of the names of directories that are about to become containers. */
const DRAFT = '.'
/** End of the names of directories that are being removed. */
const GONE = '.gone'
const REMOVAL_TRIES = 3

/** The directory of the containers of a store: their records, locks and writable layers. */
export class ContainerHome implements AsyncDisposable {
  readonly store: Store
  readonly snapshots: SnapshotDriver
  readonly executor: Executor
  readonly #directory: string
  readonly #own: Sandbox | undefined

  constructor(store: Store, place: ContainerPlace) {
    const own = driverOf(store).directory
    const directory = place.directory ?? (own === undefined ? undefined : join(own, '.layerstore/containers'))
    if (directory === undefined) {
      const message = 'the store has no directory on this machine: give a directory for its containers'
      throw new FormatError('ERR_INVALID_ARGUMENT', message)
    }
    this.store = store
    this.#directory = directory
    this.#own = place.sandbox ? undefined : machineSandbox({ directory: join(directory, '../snapshots') })
    const { executor, snapshots } = place.sandbox ?? (this.#own as Sandbox)
    this.executor = executor
    this.snapshots = snapshots
  }

  /** Ends what the sandbox of this machine has started. Idempotent; a later call starts it again. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#own?.[Symbol.asyncDispose]()
  }

  /** Directory of what a container writes. */
  stackOf(id: string): string {
    return join(this.#directory, id, 'stack')
  }

  /**
   * Resolves to the ids of all containers.
   *
   * @throws {@link StoreError} `ERR_STORE_READ_ONLY` if they are of another user.
   */
  async ids(): Promise<string[]> {
    return (await this.#names()).filter(isContainerId).sort()
  }

  /**
   * Resolves to the id that a text means: the id itself, or the beginning of one.
   *
   * @throws {@link SandboxError} `ERR_CONTAINER_NOT_FOUND`.
   */
  async find(text: string): Promise<string> {
    const ids = await this.ids()
    const begins = ids.filter(id => id.startsWith(text))
    if (ids.includes(text)) return text
    if (text !== '' && begins.length === 1) return begins[0] as string
    const many = begins.length > 1 && text !== '' ? `${begins.length} containers begin with` : 'no container'
    throw new SandboxError('ERR_CONTAINER_NOT_FOUND', `${many} ${JSON.stringify(text)}`)
  }

  /** Resolves to the record of a container; `undefined` if it was removed meanwhile or is damaged. */
  async read(id: string): Promise<ContainerRecord | undefined> {
    try {
      return parseContainerRecord(await readFile(join(this.#directory, id, RECORD), 'utf8'))
    } catch (error) {
      if (isErrno(error, 'ENOENT', 'ENOTDIR')) return undefined
      throw error
    }
  }

  /**
   * Resolves to the record of a container.
   *
   * @throws {@link SandboxError} `ERR_CONTAINER_NOT_FOUND`.
   */
  async record(id: string): Promise<ContainerRecord> {
    const record = await this.read(id)
    if (record) return record
    const message = `no container ${JSON.stringify(id)}, or its record is damaged`
    throw new SandboxError('ERR_CONTAINER_NOT_FOUND', message)
  }

  /** Replaces the record of a container. The caller holds its lock. */
  async write(record: ContainerRecord): Promise<void> {
    await this.#write(record.id, record)
  }

  // SAFETY: variables may be secret, so that only the owner may read them.
  async #write(name: string, record: ContainerRecord): Promise<void> {
    const bytes = Buffer.from(`${JSON.stringify(record)}\n`)
    await writeFileAtomic(join(this.#directory, name, RECORD), bytes, { durable: record.keep, mode: 0o600 })
  }

  /**
   * Creates the directory of a container, and resolves to its lock. It appears with its record, and locked: other
   * processes see it complete or not at all.
   *
   * @throws {@link SandboxError} `ERR_CONTAINER_EXISTS`; {@link StoreError} `ERR_STORE_READ_ONLY`.
   */
  async create(record: ContainerRecord): Promise<Lock> {
    let name = `${DRAFT}${record.id}-${process.pid}-${Date.now()}`
    await mkdir(join(this.#directory, name), { recursive: true, mode: 0o700 }).catch(cause => {
      throw asReadOnly('create a container', cause)
    })
    const lock = (await tryLock(() => join(this.#directory, name, LOCK))) as Lock
    try {
      await this.#write(name, record)
      await rename(join(this.#directory, name), join(this.#directory, record.id))
      name = record.id
      return lock
    } catch (error) {
      await lock.release()
      await rm(join(this.#directory, name), { recursive: true, force: true })
      if (!isErrno(error, 'ENOTEMPTY', 'EEXIST')) throw error
      throw new SandboxError('ERR_CONTAINER_EXISTS', `a container ${record.id} exists: remove it, or choose another id`)
    }
  }

  /** Whether a process holds the lock of a container. */
  isRunning(id: string): Promise<boolean> {
    return isLocked(join(this.#directory, id, LOCK))
  }

  /**
   * Acquires the lock of a container.
   *
   * @throws {@link SandboxError} `ERR_CONTAINER_RUNNING` if another operation holds it; `ERR_CONTAINER_NOT_FOUND`.
   */
  async claim(id: string): Promise<Lock> {
    try {
      const taken = await tryLock(() => join(this.#directory, id, LOCK))
      if (!('holder' in taken)) return taken
      throw new SandboxError('ERR_CONTAINER_RUNNING', `the container ${id} is in use by ${taken.holder}`)
    } catch (error) {
      if (!isErrno(error, 'ENOENT')) throw error
      throw new SandboxError('ERR_CONTAINER_NOT_FOUND', `no container ${JSON.stringify(id)}`)
    }
  }

  /** Removes a container with all that it has written. The caller holds its lock. Idempotent. */
  async remove(id: string): Promise<void> {
    await this.snapshots.removePlace?.(this.stackOf(id))
    const gone = `${DRAFT}${id}-${randomBytes(4).toString('hex')}${GONE}`
    try {
      // A process that tries the lock meanwhile creates a file in the directory, which then could not be removed.
      await rename(join(this.#directory, id), join(this.#directory, gone))
    } catch (error) {
      if (isErrno(error, 'ENOENT')) return
      throw error
    }
    await this.#removeGone(gone)
  }

  /** Removes what killed processes have left of containers that are not kept, and of containers to be. */
  async sweep(): Promise<void> {
    for (const name of await this.#names()) {
      if (name.startsWith(DRAFT) && name.endsWith(GONE)) {
        // A process that lives removes it itself.
        if (!(await this.isRunning(name))) await this.#removeGone(name)
        continue
      }
      if (!(await this.#isLeft(name)) || (await this.isRunning(name))) continue
      const lock = await this.claim(name).catch(() => undefined)
      if (!lock) continue
      try {
        // SAFETY: a container of the same id may have been created since its record was read, and would be removed.
        if (await this.#isLeft(name)) await this.remove(name)
      } finally {
        await lock.release()
      }
    }
  }

  /** Whether a container, or a draft, is to be removed if no process holds its lock. */
  async #isLeft(name: string): Promise<boolean> {
    // A draft is locked a moment after it was created.
    if (name.startsWith(DRAFT)) return this.#isAbandoned(name)
    return (await this.read(name))?.keep === false
  }

  async #removeGone(name: string): Promise<void> {
    await rm(join(this.#directory, name), { recursive: true, force: true, maxRetries: REMOVAL_TRIES })
  }

  async #isAbandoned(name: string): Promise<boolean> {
    const names: readonly string[] = await readdir(join(this.#directory, name)).catch(() => [])
    return names.includes(LOCK)
  }

  async #names(): Promise<string[]> {
    try {
      const entries = await readdir(this.#directory, { withFileTypes: true })
      return entries.filter(entry => entry.isDirectory()).map(({ name }) => name)
    } catch (error) {
      if (isErrno(error, 'ENOENT')) return []
      throw asReadOnly('read its containers', error)
    }
  }
}

/** The directory of containers is open to its owner only. */
function asReadOnly(act: string, cause: unknown): unknown {
  if (!isErrno(cause, 'EACCES', 'EPERM', 'EROFS')) return cause
  const { code } = cause
  const message = `the store is read-only for this user: may not ${act} (${code})`
  return new StoreError('ERR_STORE_READ_ONLY', message, { cause, errno: code })
}
