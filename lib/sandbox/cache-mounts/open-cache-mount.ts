import { lstat, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { digestOf, splitDigest } from '../../digest/index.ts'
import { SandboxError } from '../../errors/index.ts'
import type { AbortOptions } from '../../internal/abort.ts'
import { sleep } from '../../internal/concurrency/sleep.ts'
import { isErrno } from '../../internal/errno.ts'
import { type Lock, withLock } from '../../internal/locks/lock.ts'
import { ownDirectory } from '../keeping/own-directory.ts'
import { CacheMountPlace, type Holder, LOCKS } from './cache-mount-place.ts'

/** Characters of a digest in the name of a place. */
const NAME_LENGTH = 24
/** Longest wait between two looks at a mount that another step holds. */
const LONGEST_WAIT_MS = 200

/** A cache mount, as a step asks for it. */
export interface CacheMountSpec {
  /** Name of the cache; any text. */
  readonly id: string
  /**
   * Two steps that use it at once: `shared` gives both the same directory, `private` gives the second one a directory
   * of its own, `locked` lets the second one wait.
   */
  readonly sharing: 'shared' | 'private' | 'locked'
  /** Text that fixes the files of a new directory: caches with other files are other caches. @defaultValue none */
  readonly seed?: string | undefined
  /** Creates the directory at a path, with its files, owner and mode. The parent exists. */
  create(path: string): Promise<void>
  /** Removes what a killed process has left at a path. @defaultValue the calls of this process */
  remove?(path: string): Promise<void>
}

/** A cache mount in use. */
export interface OpenCacheMount extends AsyncDisposable {
  /** The directory of files. */
  readonly path: string
  /** Ends the use. Idempotent. */
  release(): Promise<void>
}

/**
 * Opens a cache mount in a directory that any number of processes share, for one step. The files stay until a
 * collection removes them. The mount of a killed process is free at once.
 *
 * @throws {@link SandboxError} `ERR_SANDBOX_DIRECTORY` if something else has the place of a directory.
 */
export async function openCacheMount(
  directory: string,
  spec: CacheMountSpec,
  { signal }: AbortOptions = {},
): Promise<OpenCacheMount> {
  await ownDirectory(directory)
  await ownDirectory(join(directory, LOCKS))
  const place = new CacheMountPlace(directory, await nameOf(spec))
  for (let wait = 5; ; wait = Math.min(LONGEST_WAIT_MS, wait * 2)) {
    const taken = await withLock(place.lock, () => take(place, spec), { signal })
    if (taken) return opened(place, taken)
    await sleep(wait, signal)
  }
}

/** SAFETY: an id may be `..` or longer than a name can be; a digest is neither. */
async function nameOf({ id, seed = '' }: CacheMountSpec): Promise<string> {
  const digest = await digestOf(Buffer.from(JSON.stringify([id, seed])))
  return splitDigest(digest).hex.slice(0, NAME_LENGTH)
}

interface Taken {
  readonly path: string
  readonly held: Lock
}

/** Chooses a directory, creates it if it is missing, and holds it. `undefined` if the step has to wait. */
async function take(place: CacheMountPlace, spec: CacheMountSpec): Promise<Taken | undefined> {
  await place.create(spec.id)
  const number = choose(spec.sharing, await place.holders())
  if (number === undefined) return undefined
  const path = place.files(number)
  await createFiles(path, spec)
  const held = await place.hold({ number, exclusive: spec.sharing !== 'shared' })
  await place.touch()
  return { path, held }
}

function choose(sharing: CacheMountSpec['sharing'], holders: readonly Holder[]): number | undefined {
  const isBusy = (number: number) => holders.some(holder => holder.number === number)
  const isAlone = (number: number) => holders.some(holder => holder.number === number && holder.exclusive)
  // A step that locks uses the first directory and no other, so that it finds the files of the last one.
  if (sharing === 'locked') return isBusy(0) ? undefined : 0
  let number = 0
  while (sharing === 'shared' ? isAlone(number) : isBusy(number)) number++
  return number
}

/** A new directory appears when it is complete, so a killed process leaves none that lacks files or its owner. */
async function createFiles(path: string, spec: CacheMountSpec): Promise<void> {
  if (await isDirectory(path)) return
  const unfinished = `${path}.tmp`
  await (spec.remove?.(unfinished) ?? rm(unfinished, { recursive: true, force: true }))
  await spec.create(unfinished)
  await rename(unfinished, path)
}

async function isDirectory(path: string): Promise<boolean> {
  try {
    if ((await lstat(path)).isDirectory()) return true
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return false
    throw error
  }
  throw new SandboxError('ERR_SANDBOX_DIRECTORY', `${path} is not a directory: put a directory in its place`)
}

function opened(place: CacheMountPlace, { path, held }: Taken): OpenCacheMount {
  const release = async () => {
    await place.touch()
    await held.release()
  }
  return { path, release, [Symbol.asyncDispose]: release }
}
