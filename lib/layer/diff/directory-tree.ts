import { FormatError } from '../../errors/index.ts'
import type { AbortOptions } from '../../internal/abort.ts'
import { isErrno } from '../../internal/errno.ts'
import { decodeName, encodeName } from '../../internal/name-bytes.ts'
import type { TarInput } from '../../tar/index.ts'
import { fileContent } from '../source/file-content.ts'
import { type FoundEntry, walkDirectory } from '../source/walk-directory.ts'
import type { Tree, TreeEntry } from './tree.ts'

/**
 * A directory as a tree, with owners, modes and times as they are on disk (times in whole seconds). Symbolic links are
 * not followed, sockets are left out. Extended attributes are not read, and therefore not compared. The directory is read
 * anew with each walk.
 *
 * @throws {@link FormatError} `ERR_INVALID_ARGUMENT`, from the walk, if there is no such directory or a name in it begins
 * with `.wh.`, which cannot be in an image.
 */
export function directoryTree(directory: string, options: AbortOptions = {}): Tree {
  return {
    tellsXattrs: false,
    walk: () => walk(directory, options),
    async *withContent(entries) {
      for (const { digest: _, ...entry } of entries) yield entry satisfies TarInput
    },
  }
}

async function* walk(directory: string, options: AbortOptions): AsyncGenerator<TreeEntry, void, undefined> {
  const first = new Map<string, string>()
  try {
    for await (const found of walkDirectory(encodeName(directory), options)) yield entryOf(found, first, options)
  } catch (cause) {
    if (!isErrno(cause, 'ENOENT', 'ENOTDIR')) throw cause
    const what = `not a directory, or changed while it was read: ${JSON.stringify(directory)}`
    throw new FormatError('ERR_INVALID_ARGUMENT', what, { cause })
  }
}

function entryOf(found: FoundEntry, first: Map<string, string>, { signal }: AbortOptions): TreeEntry {
  const { path, name, type, stats, identity } = found
  if (name.startsWith('.wh.')) {
    throw new FormatError('ERR_INVALID_ARGUMENT', `name ${JSON.stringify(path)} would be a whiteout in a layer`)
  }
  const { uid, gid, rdev } = stats
  const header = { path, type, mode: stats.mode & 0o7777, uid, gid, size: 0, mtime: Math.floor(stats.mtimeMs / 1000) }
  if (type === 'symlink') return { ...header, linkname: decodeName(found.target!) }
  if (type === 'character-device' || type === 'block-device') {
    // Linux keeps both numbers in parts.
    return { ...header, devMajor: (rdev >>> 8) & 0xfff, devMinor: (rdev & 0xff) | ((rdev >>> 12) & 0xfff00) }
  }
  if (type !== 'file') return header
  const file = identity === undefined ? undefined : first.get(identity)
  if (file !== undefined) return { ...header, type: 'hardlink', linkname: file }
  if (identity !== undefined) first.set(identity, path)
  return { ...header, size: stats.size, content: () => fileContent(found.file, stats, signal) }
}
