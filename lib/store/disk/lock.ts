import { constants } from 'node:fs'
import { type FileHandle, lstat, open, readFile, rename, writeFile } from 'node:fs/promises'
import { StoreError } from '../../errors/index.ts'
import type { AbortOptions } from '../../internal/abort.ts'
import { sleep } from '../../internal/concurrency/sleep.ts'
import { isErrno } from '../../internal/errno.ts'
import { withDescriptor } from '../../internal/with-descriptor.ts'
import { linkOnce, removeFile, temporaryName } from './link-once.ts'
import { createOwner, describeOwner, isGone, type Owner, parseOwner } from './owner.ts'

const HEARTBEAT_MS = 10_000
const FIRST_WAIT_MS = 2
const LONGEST_WAIT_MS = 100
/**
 * A file without content is given up after this long. It is what a power cut leaves of a lock, which appears whole; only where
 * there are no hard links is one being written for a moment.
 */
const BLANK_STALE_MS = 5000

/** How to wait for a lock. There is no timeout: who wants one passes a signal. */
export interface LockOptions extends AbortOptions {
  /** Called once, with a text for people, when the lock turns out to be held. */
  readonly onWait?: ((holder: string) => void) | undefined
}

/** A lock that is held, until `release`. */
export interface Lock {
  /** Whether it is still this process's. */
  isHeld(): Promise<boolean>
  /** @throws {@link StoreError} `ERR_STORE_LOCKED` if others took the lock because this process seemed dead to them. */
  assertHeld(): Promise<void>
  /** Gives the lock back; never takes one away from somebody else. Idempotent. */
  release(): Promise<void>
}

/** Somebody else's lock. */
export interface Held {
  readonly holder: string
}

/** Does something while holding the lock; releases it whatever happens. */
export async function withLock<T>(
  path: string,
  act: (lock: Lock) => Promise<T>,
  options: LockOptions = {},
): Promise<T> {
  const lock = await acquireLock(path, options)
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
export async function acquireLock(path: string, options: LockOptions = {}): Promise<Lock> {
  const { signal } = options
  for (let wait = FIRST_WAIT_MS; ; wait = Math.min(LONGEST_WAIT_MS, wait * 1.5)) {
    signal?.throwIfAborted()
    const taken = await tryLock(path)
    if (!('holder' in taken)) return abortedMeanwhile(taken, signal)
    if (wait === FIRST_WAIT_MS) options.onWait?.(taken.holder)
    await sleep(wait * (0.5 + Math.random() / 2), signal)
  }
}

async function abortedMeanwhile(lock: Lock, signal: AbortSignal | undefined): Promise<Lock> {
  if (!signal?.aborted) return lock
  await lock.release()
  throw signal.reason
}

/** Takes the lock if nobody has it, or says who has it. */
export async function tryLock(path: string): Promise<Lock | Held> {
  const owner = await createOwner()
  const text = JSON.stringify(owner)
  const mine = `${path}.${owner.pid}-${owner.nonce}.tmp`
  try {
    await withDescriptor(() => writeFile(mine, text, { flag: 'wx', mode: 0o644 }))
    const identity = await identityOf(mine)
    // The record comes into being whole: a process killed here leaves a lock that names it, or none.
    const outcome = await linkOnce(mine, path)
    if (outcome === 'linked') return hold(path, text, identity)
    if (outcome === 'unsupported' && (await createExclusive(path, text))) return heldAlone(path, text)
    const seen = await readLock(path)
    if (!seen) return { holder: describeOwner(undefined) }
    const replaced = (await mayReplace(mine, seen)) && (await replace(path, mine, seen.text))
    return replaced ? hold(path, text, identity) : { holder: describeOwner(seen.owner) }
  } finally {
    // A record left behind is swept later; a lock that was taken must not be lost over it.
    await removeFile(mine).catch(() => undefined)
  }
}

/** Whether somebody holds the lock who is not dead for certain. Only looks. */
export async function isLocked(path: string): Promise<boolean> {
  const seen = await readLock(path)
  return seen !== undefined && !(await isDead(seen, Date.now() - seen.mtimeMs))
}

/** Whether the holder is gone for certain. */
async function isDead({ text, owner }: SeenLock, ageMs: number): Promise<boolean> {
  return /^\0*$/.test(text) ? ageMs > BLANK_STALE_MS : isGone(owner, ageMs)
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

/** The file was empty for a moment: somebody may have taken it for what a power cut left. */
async function heldAlone(path: string, text: string): Promise<Lock | Held> {
  const identity = await identityOf(path)
  const seen = await readLock(path)
  return seen?.text === text ? hold(path, text, identity) : { holder: describeOwner(seen?.owner) }
}

async function mayReplace(mine: string, seen: SeenLock): Promise<boolean> {
  // Both times are those of the file system, so that the clocks of two machines need not agree.
  const ageMs = (await lstat(mine)).mtimeMs - seen.mtimeMs
  return isDead(seen, ageMs)
}

/**
 * SAFETY: two processes may see the same dead holder. Whoever replaces it must be alone, or the second would replace the
 * first; so replacing is itself done under a lock, and looks again. That lock can be left by a dead process and is then
 * replaced in the same way.
 */
async function replace(path: string, mine: string, deadText: string): Promise<boolean> {
  const guard = await tryLock(`${path}.steal`)
  if ('holder' in guard) return false
  try {
    if ((await readLock(path))?.text !== deadText) return false
    await rename(mine, path)
    return true
  } finally {
    await guard.release()
  }
}

interface SeenLock {
  readonly text: string
  readonly owner: Owner | undefined
  readonly mtimeMs: number
}

async function readLock(path: string): Promise<SeenLock | undefined> {
  try {
    const { mtimeMs } = await lstat(path)
    const text = await withDescriptor(() => readFile(path, 'utf8'))
    return { text, owner: parseOwner(text), mtimeMs }
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return undefined
    throw error
  }
}

function hold(path: string, text: string, identity: string | undefined): Lock {
  let lost = false
  const beat = async () => {
    lost ||= !(await touch(path, text))
  }
  // A heartbeat that fails is noticed by others only after minutes; the next one may succeed.
  const timer = setInterval(() => void beat().catch(() => undefined), HEARTBEAT_MS).unref()
  const isHeld = async () => !lost && (await identityOf(path)) === identity
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
        if (await isHeld()) await removeLock(path)
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
    file = await open(path, constants.O_RDWR | constants.O_NOFOLLOW)
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return false
    throw error
  }
  try {
    // SAFETY: read and written through one open file: a lock that others put in its place meanwhile is never touched.
    if ((await file.readFile('utf8')) !== text) return false
    await file.write(text, 0)
    return true
  } finally {
    await file.close()
  }
}
