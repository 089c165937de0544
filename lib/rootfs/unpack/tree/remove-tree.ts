import {
  chmodSync,
  closeSync,
  constants,
  lstatSync,
  openSync,
  readdirSync,
  renameSync,
  rmdirSync,
  rmSync,
  unlinkSync,
} from 'node:fs'
import { isErrno } from '../../../internal/errno.ts'
import { decodeName } from '../../../internal/name-bytes.ts'
import { childPath } from './child-path.ts'

const { O_RDONLY, O_DIRECTORY, O_NOFOLLOW } = constants

/**
 * Removes whatever stands at a path, whole trees included. Links are removed, never followed.
 *
 * SAFETY: a tree is removed through two directory handles. Directories inside are moved up into the one at the top before
 * they are emptied, so neither depth nor a process that swaps a directory for a link leads anywhere else.
 *
 * @param path - Of the thing itself; the directory that it is in must be trusted or held by a handle.
 */
export function removeTree(path: string | Buffer, handles: 'proc' | 'paths'): void {
  if (unlinked(path)) return
  if (handles === 'paths') rmSync(path, { recursive: true, force: true })
  else removeByHandle(path)
}

function removeByHandle(path: string | Buffer): void {
  const top = openOwn(path)
  if (top === undefined) {
    unlinkSync(path)
    return
  }
  try {
    emptyDirectory(`/proc/self/fd/${top}`)
  } finally {
    closeSync(top)
  }
  rmdirSync(path)
}

/** Removes everything in a directory that is held open. */
function emptyDirectory(top: string): void {
  const waiting = namesIn(top)
  let moved = 0
  for (let name = waiting.pop(); name !== undefined; name = waiting.pop()) {
    const path = childPath(top, name)
    if (unlinked(path)) continue
    const fd = openOwn(path)
    if (fd === undefined) {
      unlinkSync(path)
      continue
    }
    try {
      const inside = `/proc/self/fd/${fd}`
      for (const child of namesIn(inside)) {
        const childOf = childPath(inside, child)
        if (!unlinked(childOf)) {
          const kept = moveUp(childOf, top, () => moved++)
          waiting.push(kept)
        }
      }
    } finally {
      closeSync(fd)
    }
    rmdirSync(path)
  }
}

/** Removes what is no directory. Gives whether nothing is left. */
function unlinked(path: string | Buffer): boolean {
  try {
    const stats = lstatSync(path, { throwIfNoEntry: false })
    if (!stats) return true
    if (stats.isDirectory()) return false
    unlinkSync(path)
    return true
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return true
    if (isErrno(error, 'EISDIR', 'EPERM')) return false
    throw error
  }
}

/** Opens a directory, made readable and writable for its owner; `undefined` if it is none any more. */
function openOwn(path: string | Buffer): number | undefined {
  try {
    const fd = openSync(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW)
    // A directory that its owner may not write to can be neither emptied nor moved by a user who is not root.
    if (process.geteuid?.() !== 0) chmodSync(`/proc/self/fd/${fd}`, 0o700)
    return fd
  } catch (error) {
    if (isErrno(error, 'ENOTDIR', 'ELOOP')) return undefined
    if (!isErrno(error, 'EACCES')) throw error
  }
  const O_PATH = 0o10000000
  const fd = openSync(path, O_PATH | O_DIRECTORY | O_NOFOLLOW)
  try {
    chmodSync(`/proc/self/fd/${fd}`, 0o700)
    return openSync(`/proc/self/fd/${fd}`, O_RDONLY | O_DIRECTORY)
  } finally {
    closeSync(fd)
  }
}

/** Gives a directory a free name in another one. */
function moveUp(from: string | Buffer, to: string, next: () => number): string {
  grantMove(from)
  for (;;) {
    const name = `.layerstore-${process.pid}-${next()}`
    if (lstatSync(`${to}/${name}`, { throwIfNoEntry: false })) continue
    renameSync(from, `${to}/${name}`)
    return name
  }
}

/** Moving a directory writes to it (its `..`), so a user who is not root needs its write bit. */
function grantMove(path: string | Buffer): void {
  if (process.geteuid?.() === 0) return
  const fd = openOwn(path)
  if (fd !== undefined) closeSync(fd)
}

function namesIn(directory: string): string[] {
  return readdirSync(directory, { encoding: 'buffer' }).map(decodeName)
}
