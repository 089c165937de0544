import { constants } from 'node:fs'
import { type FileHandle, lstat, open, rename, writeFile } from 'node:fs/promises'
import { StoreError } from '../../errors/index.ts'
import type { AbortOptions } from '../abort.ts'
import { sleep } from '../concurrency/sleep.ts'
import { isErrno } from '../errno.ts'
import { linkOnce, makeWay, removeFile, temporaryName } from '../link-once.ts'
import { withDescriptor } from '../with-descriptor.ts'
import { isDead, readLock, type SeenLock, SilenceWatch } from './lock-record.ts'
import { createOwner, describeOwner, type Owner } from './owner.ts'
import { WaitNote, type WaitOptions } from './wait-note.ts'

const HEARTBEAT_MS = 10_000
const FIRST_WAIT_MS = 2
const LONGEST_WAIT_MS = 100

/**
 * The path of a lock file. SAFETY: during a long wait or hold, another program may replace a directory by a symbolic
 * link out of the store. A function is called before each access and checks the directories again.
 */
export type LockPlace = string | (() => string)

/** Options to wait for a lock. There is no timeout; pass a signal instead. */
export interface LockOptions extends AbortOptions, WaitOptions {}

/** A lock that is held until `release`. */
export interface Lock {
  /** Whether this process still holds it. */
  isHeld(): Promise<boolean>
  /**
   * @throws {@link StoreError} `ERR_STORE_LOCKED` if another process took the lock because this process seemed dead.
   */
  assertHeld(): Promise<void>
  /** Releases the lock; never removes the lock of another holder. Idempotent. */
  release(): Promise<void>
}

/** State of a lock that another operation holds. */
export interface Held {
  /** Human-readable name of the holder. */
  readonly holder: string
  /** Record of the holder, if it is readable. */
  readonly owner: Owner | undefined
}

/** Runs a function while holding the lock; always releases the lock afterwards. */
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
 * Waits for the lock and acquires it: a file that names its holder, in an existing directory. Works between processes
 * that share the file system, including network file systems. The lock of a holder that is certainly dead is replaced.
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

/** Acquires the lock if it is free; otherwise resolves to its holder. */
export async function tryLock(place: LockPlace, watch: SilenceWatch = new SilenceWatch()): Promise<Lock | Held> {
  const path = pathOf(place)
  const owner = await createOwner()
  const text = JSON.stringify(owner)
  const mine = `${path}.${owner.pid}-${owner.nonce}.tmp`
  try {
    await withDescriptor(() => writeFile(mine, text, { flag: 'wx', mode: 0o644 }))
    const identity = await identityOf(mine)
    // The record appears with its whole content: a process killed here leaves a lock that names it, or none.
    const outcome = await linkOnce(mine, path)
    if (outcome === 'linked') return hold(place, text, identity)
    if (outcome === 'unsupported' && (await createExclusive(path, text))) return heldAlone(place, text)
    const seen = await readLock(path)
    if (!seen) return heldBy(undefined)
    // Both times are those of the file system, so the clocks of two machines need not agree.
    const ageMs = (await lstat(mine)).mtimeMs - seen.mtimeMs
    const isFree = await isDead(seen, watch.silentMs(seen, ageMs), path)
    return isFree && (await replace(path, mine, seen)) ? hold(place, text, identity) : heldBy(seen.owner)
  } finally {
    // The sweep removes a record that stays behind; a failure here must not lose the acquired lock.
    await removeFile(mine).catch(() => undefined)
  }
}

function pathOf(place: LockPlace): string {
  return typeof place === 'string' ? place : place()
}

function heldBy(owner: Owner | undefined): Held {
  return { holder: describeOwner(owner), owner }
}

/** Whether a process that is not certainly dead holds the lock. Changes nothing. */
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

/** Confirms the lock: the file was empty for a moment, and another process may have replaced it as abandoned. */
async function heldAlone(place: LockPlace, text: string): Promise<Lock | Held> {
  const path = pathOf(place)
  const identity = await identityOf(path)
  const seen = await readLock(path)
  return seen?.text === text ? hold(place, text, identity) : heldBy(seen?.owner)
}

/**
 * Replaces the lock of a dead holder. SAFETY: two processes may see the same dead holder, and the second would replace
 * the lock of the first. So the replacement runs under a lock of its own and checks again. If a dead process left that
 * lock, it is replaced in the same way.
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
    // A rename cannot replace a directory by a file. While the path is free, another process may acquire the lock.
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
  // A heartbeat that fails is retried at the next interval; other processes notice only after minutes.
  const timer = setInterval(() => void beat().catch(() => undefined), HEARTBEAT_MS).unref()
  const isHeld = async () => !lost && (await identityOf(pathOf(place))) === identity
  let released: Promise<void> | undefined
  return {
    isHeld,
    assertHeld: async () => {
      if (await isHeld()) return
      throw new StoreError(
        'ERR_STORE_LOCKED',
        'lost a lock of the store: another process took it because this process seemed dead',
      )
    },
    release: () => {
      clearInterval(timer)
      released ??= retry(async () => {
        if (await isHeld()) await removeLock(pathOf(place))
      })
      return released
    },
  }
}

/** Identifies a lock file without opening it: a release must not need a free file descriptor. */
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
    // Moving the file aside is enough; the sweep removes it.
    await rename(path, temporaryName(path))
  }
}

/**
 * Retries a release: an unreleased lock blocks every process while this one lives, so a passing error must not end it.
 */
async function retry(act: () => Promise<void>): Promise<void> {
  for (const pauseMs of [10, 50, 250]) {
    try {
      return await act()
    } catch {
      await sleep(pauseMs)
    }
  }
  return act()
}

/** Rewrites the record, so that the file system sets the time by its own clock. */
async function touch(path: string, text: string): Promise<boolean> {
  let file: FileHandle
  try {
    file = await open(path, constants.O_RDWR | constants.O_NOFOLLOW | constants.O_NONBLOCK)
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ELOOP', 'EISDIR', 'ENXIO')) return false
    throw error
  }
  try {
    // SAFETY: another process may have replaced the lock file; reading and writing through one open file never changes
    // the new one.
    const stats = await file.stat()
    if (!stats.isFile() || stats.size !== Buffer.byteLength(text)) return false
    if ((await file.readFile('utf8')) !== text) return false
    await file.write(text, 0)
    return true
  } finally {
    await file.close()
  }
}
