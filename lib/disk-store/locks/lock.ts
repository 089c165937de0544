import { constants } from 'node:fs'
import { type FileHandle, lstat, open, rename, writeFile } from 'node:fs/promises'
import { StoreError } from '../../errors/index.ts'
import type { AbortOptions } from '../../internal/abort.ts'
import { sleep } from '../../internal/concurrency/sleep.ts'
import { isErrno } from '../../internal/errno.ts'
import { withDescriptor } from '../../internal/with-descriptor.ts'
import { linkOnce, makeWay, removeFile, temporaryName } from '../link-once.ts'
import { isDead, readLock, type SeenLock, SilenceWatch } from './lock-record.ts'
import { createOwner, describeOwner, type Owner } from './owner.ts'
import { WaitNote, type WaitOptions } from './wait-note.ts'

const HEARTBEAT_MS = 10_000
const FIRST_WAIT_MS = 2
const LONGEST_WAIT_MS = 100

/**
 * The file of a lock. SAFETY: a function is asked again each time the file is touched, so that directories on the way can be
 * proven each time; a wait or a hold may take long.
 */
export type LockPlace = string | (() => string)

/** How to wait for a lock. There is no timeout: who wants one passes a signal. */
export interface LockOptions extends AbortOptions, WaitOptions {}

/** A lock that is held, until `release`. */
export interface Lock {
  /** Whether it is still this process's. */
  isHeld(): Promise<boolean>
  /** @throws {@link StoreError} `ERR_STORE_LOCKED` if others took the lock because this process seemed dead to them. */
  assertHeld(): Promise<void>
  /** Gives the lock back; never takes one away from another holder. Idempotent. */
  release(): Promise<void>
}

/** A lock that another act holds. */
export interface Held {
  /** Holder, for people. */
  readonly holder: string
  /** Record of the holder, unless it cannot be read. */
  readonly owner: Owner | undefined
}

/** Does something while holding the lock; releases it whatever happens. */
export async function withLock<T>(
  place: LockPlace,
  act: (lock: Lock) => Promise<T>,
  options: LockOptions = {},
): Promise<T> {
  const lock = await acquireLock(place, options)
  try {
    return await act(lock)
  } finally {
    await lock.release()
  }
}

/**
 * Waits for the lock and takes it: a file that names its holder, in a directory that exists. Works between processes
 * that share the file system, also on network ones. A holder that is dead for certain is replaced.
 */
export async function acquireLock(place: LockPlace, options: LockOptions = {}): Promise<Lock> {
  const { signal } = options
  const watch = new SilenceWatch()
  const note = new WaitNote(options)
  for (let wait = FIRST_WAIT_MS; ; wait = Math.min(LONGEST_WAIT_MS, wait * 1.5)) {
    signal?.throwIfAborted()
    const taken = await tryLock(place, watch)
    if (!('holder' in taken)) {
      note.end()
      return abortedMeanwhile(taken, signal)
    }
    await note.waitFor(taken.holder, taken.owner)
    await sleep(wait * (0.5 + Math.random() / 2), signal)
  }
}

async function abortedMeanwhile(lock: Lock, signal: AbortSignal | undefined): Promise<Lock> {
  if (!signal?.aborted) return lock
  await lock.release()
  throw signal.reason
}

/** Takes the lock if it is free, or says who has it. */
export async function tryLock(place: LockPlace, watch: SilenceWatch = new SilenceWatch()): Promise<Lock | Held> {
  const path = pathOf(place)
  const owner = await createOwner()
  const text = JSON.stringify(owner)
  const mine = `${path}.${owner.pid}-${owner.nonce}.tmp`
  try {
    await withDescriptor(() => writeFile(mine, text, { flag: 'wx', mode: 0o644 }))
    const identity = await identityOf(mine)
    // The record comes into being whole: a process killed here leaves a lock that names it, or none.
    const outcome = await linkOnce(mine, path)
    if (outcome === 'linked') return hold(place, text, identity)
    if (outcome === 'unsupported' && (await createExclusive(path, text))) return heldAlone(place, text)
    const seen = await readLock(path)
    if (!seen) return heldBy(undefined)
    // Both times are those of the file system, so that the clocks of two machines need not agree.
    const ageMs = (await lstat(mine)).mtimeMs - seen.mtimeMs
    const isFree = await isDead(seen, watch.silentMs(seen, ageMs), path)
    return isFree && (await replace(path, mine, seen)) ? hold(place, text, identity) : heldBy(seen.owner)
  } finally {
    // A record left behind is swept later; a lock that was taken must not be lost over it.
    await removeFile(mine).catch(() => undefined)
  }
}

function pathOf(place: LockPlace): string {
  return typeof place === 'string' ? place : place()
}

function heldBy(owner: Owner | undefined): Held {
  return { holder: describeOwner(owner), owner }
}

/** Whether the lock is held by a process that is not dead for certain. Only looks. */
export async function isLocked(path: string): Promise<boolean> {
  const seen = await readLock(path)
  return seen !== undefined && !(await isDead(seen, Date.now() - seen.mtimeMs, path))
}

async function createExclusive(path: string, text: string): Promise<boolean> {
  try {
    await writeFile(path, text, { flag: 'wx', mode: 0o644 })
    return true
  } catch (error) {
    if (isErrno(error, 'EEXIST')) return false
    throw error
  }
}

/** The file was empty for a moment: another process may have taken it for what a power cut left. */
async function heldAlone(place: LockPlace, text: string): Promise<Lock | Held> {
  const path = pathOf(place)
  const identity = await identityOf(path)
  const seen = await readLock(path)
  return seen?.text === text ? hold(place, text, identity) : heldBy(seen?.owner)
}

/**
 * SAFETY: two processes may see the same dead holder. Whoever replaces it must be alone, or the second would replace the
 * first; so replacing is itself done under a lock, and looks again. That lock can be left by a dead process and is then
 * replaced in the same way.
 */
async function replace(path: string, mine: string, dead: SeenLock): Promise<boolean> {
  const guard = await tryLock(`${path}.steal`)
  if ('holder' in guard) return false
  try {
    const now = await readLock(path)
    if (now?.text !== dead.text || now.isOdd !== dead.isOdd) return false
    if (!dead.isOdd) {
      await rename(mine, path)
      return true
    }
    // A directory cannot be replaced by a file. While the place is free, another process may take the lock.
    await makeWay(path)
    return (await linkOnce(mine, path)) === 'linked'
  } finally {
    await guard.release()
  }
}

function hold(place: LockPlace, text: string, identity: string | undefined): Lock {
  let lost = false
  const beat = async () => {
    lost ||= !(await touch(pathOf(place), text))
  }
  // A heartbeat that fails is noticed by other processes only after minutes; the next one may succeed.
  const timer = setInterval(() => void beat().catch(() => undefined), HEARTBEAT_MS).unref()
  const isHeld = async () => !lost && (await identityOf(pathOf(place))) === identity
  let released: Promise<void> | undefined
  return {
    isHeld,
    assertHeld: async () => {
      if (await isHeld()) return
      throw new StoreError('ERR_STORE_LOCKED', 'lost a lock of the store: this process was taken for dead')
    },
    release: () => {
      clearInterval(timer)
      released ??= insist(async () => {
        if (await isHeld()) await removeLock(pathOf(place))
      })
      return released
    },
  }
}

/** Tells a lock file from every other one without opening it: a release must not need a free descriptor. */
async function identityOf(path: string): Promise<string | undefined> {
  try {
    const { ino, birthtimeNs } = await lstat(path, { bigint: true })
    return `${ino}-${birthtimeNs}`
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return undefined
    throw error
  }
}

async function removeLock(path: string): Promise<void> {
  try {
    await removeFile(path)
  } catch {
    // Out of the way will do; the sweep finds it there.
    await rename(path, temporaryName(path))
  }
}

/** A lock that is not given back stops everybody for as long as this process lives, so a passing fault is waited out. */
async function insist(act: () => Promise<void>): Promise<void> {
  for (const pauseMs of [10, 50, 250]) {
    try {
      return await act()
    } catch {
      await sleep(pauseMs)
    }
  }
  return act()
}

/** Writes the record over itself, so that the file system notes the time by its own clock. */
async function touch(path: string, text: string): Promise<boolean> {
  let file: FileHandle
  try {
    file = await open(path, constants.O_RDWR | constants.O_NOFOLLOW | constants.O_NONBLOCK)
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ELOOP', 'EISDIR', 'ENXIO')) return false
    throw error
  }
  try {
    // SAFETY: read and written through one open file: a lock that another process put in its place is never touched.
    const stats = await file.stat()
    if (!stats.isFile() || stats.size !== Buffer.byteLength(text)) return false
    if ((await file.readFile('utf8')) !== text) return false
    await file.write(text, 0)
    return true
  } finally {
    await file.close()
  }
}
