import { randomBytes } from 'node:crypto'
import { lstatSync, mkdirSync, readdirSync, realpathSync, renameSync, rmdirSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import { RootfsError } from '../../../errors/index.ts'
import { isErrno } from '../../../internal/errno.ts'
import { makeDirectories } from '../../../internal/make-directories.ts'
import { decodeName } from '../../../internal/name-bytes.ts'
import type { WriterOptions } from '../entries/writer-options.ts'
import { childPath } from '../tree/child-path.ts'
import { removeTree } from '../tree/remove-tree.ts'

/** The directory that a tree is written to, and the steps that turn it into the requested directory. */
export interface Target {
  /** The directory to write into until {@link Target.publish}. */
  readonly root: string
  /** Number of levels, counted from the root, that get their metadata after publishing. */
  readonly lateLevels: number
  /** Moves the tree to the requested directory. Returns the new root. */
  publish(): string
  /** Removes the tree. Returns the paths that could not be removed. */
  discard(): string[]
}

/**
 * Chooses the directory to write to:
 *
 * - for an absent target, a directory beside it, which one rename publishes;
 * - for an empty target, a directory inside it, whose content is moved up (the target may be a mount point or the
 *   working directory of another process);
 * - with `overwrite`, the target itself.
 *
 * SAFETY: another user could read or change files before their layer is proven. The first two directories have mode
 * 0700 and names that cannot be guessed, so no other user can enter them.
 *
 * @throws {@link RootfsError} `ERR_TARGET_NOT_EMPTY`.
 */
export function openUnpackTarget(directory: string, options: WriterOptions): Target {
  const wanted = resolve(directory)
  const there = realPath(wanted)
  if (there === undefined) return besideTarget(wanted, options)
  if (!lstatSync(there).isDirectory()) {
    throw new RootfsError('ERR_TARGET_NOT_EMPTY', 'the target is not a directory', { path: directory })
  }
  const empty = readdirSync(there).length === 0
  if (empty) return insideTarget(there, options)
  if (options.overwrite) return { root: there, lateLevels: 0, publish: () => there, discard: () => [] }
  throw new RootfsError('ERR_TARGET_NOT_EMPTY', 'the directory to unpack into is not empty', { path: directory })
}

function realPath(path: string): string | undefined {
  try {
    return realpathSync(path)
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return undefined
    throw error
  }
}

function besideTarget(wanted: string, options: WriterOptions): Target {
  const parent = dirname(wanted)
  const firstMade = makeDirectories(parent)
  const staging = makeStaging(parent, basename(wanted))
  const root = join(staging, 'root')
  mkdirSync(root, 0o700)
  return {
    root,
    lateLevels: 1,
    publish() {
      // SAFETY: another process may create the target meanwhile. The rename then fails, unless it is an empty
      // directory.
      renameSync(root, wanted)
      rmdirSync(staging)
      return wanted
    },
    discard: () => [
      ...removeAll([staging], options),
      ...(firstMade === undefined ? [] : removeEmpty(parent, dirname(firstMade))),
    ],
  }
}

function insideTarget(there: string, options: WriterOptions): Target {
  const staging = makeStaging(there, 'root')
  const root = join(staging, 'root')
  mkdirSync(root, 0o700)
  const moved: (string | Buffer)[] = []
  return {
    root,
    lateLevels: 2,
    publish() {
      for (const raw of readdirSync(root, { encoding: 'buffer' })) {
        const to = childPath(there, decodeName(raw))
        // SAFETY: another process may create this path meanwhile; it must not be replaced.
        if (lstatSync(to, { throwIfNoEntry: false })) {
          throw new RootfsError('ERR_TARGET_NOT_EMPTY', 'another process wrote into the empty target', { path: there })
        }
        renameSync(childPath(root, decodeName(raw)), to)
        moved.push(to)
      }
      removeTree(staging, options.handles)
      return there
    },
    discard: () => removeAll([staging, ...moved], options),
  }
}

function makeStaging(parent: string, name: string): string {
  const staging = join(parent, `.${name.slice(0, 100)}.layerstore-${randomBytes(8).toString('hex')}`)
  mkdirSync(staging, 0o700)
  return staging
}

/** Removes trees. Returns the paths that could not be removed. */
function removeAll(paths: readonly (string | Buffer)[], options: WriterOptions): string[] {
  return paths.flatMap(path => {
    try {
      removeTree(path, options.handles)
      return []
    } catch {
      // The caller gets the original failure, and this path as left behind.
      return [typeof path === 'string' ? path : decodeName(path)]
    }
  })
}

/** Removes a directory and the parents that this call created, as long as they are empty. */
function removeEmpty(from: string, upTo: string): string[] {
  for (let path = from; path !== upTo; path = dirname(path)) {
    try {
      rmdirSync(path)
    } catch (error) {
      if (isErrno(error, 'ENOTEMPTY', 'EEXIST')) return []
      return [path]
    }
  }
  return []
}
