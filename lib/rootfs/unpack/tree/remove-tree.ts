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
 * Removes a file, a link or a whole tree. Links are removed, never followed.
 *
 * SAFETY: a tree may be deeper than a path can be long, and another process may swap a directory for a link during the
 * removal, which would redirect a removal by path. So the tree is removed through two directory handles: subdirectories
 * are moved up into the top directory before they are emptied, and every path has one component. A directory of a lower
 * layer of an overlay cannot be moved, so it is emptied where it is, with a handle for each level.
 *
 * @param path - Path to remove; its directory must be trusted or held by a handle.
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
        if (unlinked(childOf)) continue
        const kept = moveUp(childOf, top, () => moved++)
        if (kept === undefined) removeByHandle(childOf)
        else waiting.push(kept)
      }
    } finally {
      closeSync(fd)
    }
    rmdirSync(path)
  }
}

/** Removes an entry that is no directory. Returns true if nothing is left. */
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

/**
 * Opens a directory and makes it readable and writable for its owner; returns `undefined` if it is no directory any
 * more.
 */
function openOwn(path: string | Buffer): number | undefined {
  try {
    const fd = openSync(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW)
    // Without root, a directory can be emptied or moved only if its owner may write to it.
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

/**
 * Moves a directory to an unused name in another directory. Returns `undefined` if it cannot be moved: overlayfs moves
 * no directory that has files in a lower layer.
 */
function moveUp(from: string | Buffer, to: string, next: () => number): string | undefined {
  grantMove(from)
  for (;;) {
    const name = `.layerstore-${process.pid}-${next()}`
    if (lstatSync(`${to}/${name}`, { throwIfNoEntry: false })) continue
    try {
      renameSync(from, `${to}/${name}`)
      return name
    } catch (error) {
      if (isErrno(error, 'EXDEV')) return undefined
      throw error
    }
  }
}

/** Moving a directory writes to it (its `..` entry), so without root it needs its write bit. */
function grantMove(path: string | Buffer): void {
  if (process.geteuid?.() === 0) return
  const fd = openOwn(path)
  if (fd !== undefined) closeSync(fd)
}

function namesIn(directory: string): string[] {
  return readdirSync(directory, { encoding: 'buffer' }).map(decodeName)
}
