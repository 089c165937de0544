import type { Stats } from 'node:fs'
import { FormatError } from '../errors/index.ts'
import type { AbortOptions } from '../internal/abort.ts'
import { isErrno } from '../internal/errno.ts'
import { decodeName, encodeName } from '../internal/name-bytes.ts'
import { normalizePath, type TarEntryType, type TarInput } from '../tar/index.ts'
import { fileContent } from './source/file-content.ts'
import { type FoundEntry, walkDirectory } from './source/walk-directory.ts'

/** What of a directory goes into a layer, and as what. */
export interface FromDirectoryOptions extends AbortOptions {
  /** Directory inside the image that takes the content. It and the ones above it become entries too. @defaultValue `'/'` */
  readonly at?: string | undefined
  /** Time of every entry in seconds since 1970, or that of the source. @defaultValue `SOURCE_DATE_EPOCH`, else `0` */
  readonly mtime?: number | 'source' | undefined
  /** Owner of every entry. @defaultValue `0` */
  readonly uid?: number | undefined
  /** Group of every entry. @defaultValue `0` */
  readonly gid?: number | undefined
  /**
   * Permissions: `normal` gives 0755 to directories and to what its owner may execute, 0777 to links and 0644 to all
   * else, so that the umask of a checkout does not matter; `source` keeps all of them. @defaultValue `'normal'`
   */
  readonly mode?: 'normal' | 'source' | ((path: string, type: TarEntryType, mode: number) => number) | undefined
  /** Says what to take, by the path inside the directory; a directory that is not taken is not looked into. */
  readonly filter?: ((path: string, type: TarEntryType) => boolean) | undefined
}

/**
 * The content of a directory as entries for a layer, the same on every machine, for every user and in every time zone.
 *
 * Directories are read one at a time, in the order of the bytes of their names. Symbolic links stay links and are never
 * followed. Of several names of one file the first in order is the file, the others are hard links to it. Fifos and devices
 * are kept, sockets are left out. The directory itself is an entry only under `at`. Small files are read synchronously,
 * with a pause for the event loop every few milliseconds. Entries are for one reading, one after the other, as
 * {@link writeLayer} does.
 *
 * @throws {@link FormatError} `ERR_INVALID_ARGUMENT` if there is no such directory, for an option out of range, for a file
 * that changes its kind meanwhile, and for names that begin with `.wh.`, which would delete something in an image.
 * @throws {@link SizeMismatchError} `ERR_SIZE_MISMATCH` for a file that changes its size while it is read.
 */
export async function* fromDirectory(
  directory: string,
  options: FromDirectoryOptions = {},
): AsyncGenerator<TarInput, void, undefined> {
  const { signal, filter } = options
  const at = normalizePath(options.at ?? '/', 'ERR_INVALID_ARGUMENT')
  const common = {
    uid: options.uid ?? 0,
    gid: options.gid ?? 0,
    ...(options.mtime === 'source' ? {} : timeOf(options)),
  }
  const links = new Map<string, string>()
  yield* parentsOf(at, { mtime: 0, ...common })
  const prefix = at === '.' ? '' : `${at}/`
  try {
    for await (const found of walkDirectory(encodeName(directory), { signal, accept: filter })) {
      yield entryOf(found, prefix, options, common, links)
    }
  } catch (cause) {
    if (!isErrno(cause, 'ENOENT', 'ENOTDIR')) throw cause
    const what = `not a directory, or changed while it was read: ${JSON.stringify(directory)}`
    throw new FormatError('ERR_INVALID_ARGUMENT', what, { cause })
  }
}

function timeOf({ mtime }: FromDirectoryOptions): { mtime: number } {
  if (typeof mtime === 'number') return { mtime }
  const epoch = process.env.SOURCE_DATE_EPOCH
  if (!epoch) return { mtime: 0 }
  // SPEC: a whole number of seconds in decimal (https://reproducible-builds.org/specs/source-date-epoch/).
  if (!/^[0-9]{1,15}$/.test(epoch)) {
    throw new FormatError(
      'ERR_INVALID_ARGUMENT',
      `SOURCE_DATE_EPOCH is not a number of seconds: ${JSON.stringify(epoch)}`,
    )
  }
  return { mtime: Number(epoch) }
}

function* parentsOf(at: string, common: Partial<TarInput>): Generator<TarInput, void, undefined> {
  if (at === '.') return
  const components = at.split('/')
  for (const [i, name] of components.entries()) {
    refuseWhiteout(name)
    yield { path: components.slice(0, i + 1).join('/'), type: 'directory', mode: 0o755, ...common }
  }
}

function entryOf(
  found: FoundEntry,
  prefix: string,
  options: FromDirectoryOptions,
  common: Partial<TarInput>,
  links: Map<string, string>,
): TarInput {
  const { path, type, stats } = found
  refuseWhiteout(found.name)
  const header = {
    path: prefix + path,
    type,
    mode: modeOf(options.mode ?? 'normal', path, type, stats.mode & 0o7777),
    mtime: Math.floor(stats.mtimeMs / 1000),
    ...common,
  }
  if (type === 'symlink') return { ...header, linkname: decodeName(found.target!) }
  if (type === 'character-device' || type === 'block-device') return { ...header, ...deviceOf(stats.rdev) }
  if (type !== 'file') return header
  if (found.identity) {
    const first = links.get(found.identity)
    if (first !== undefined) return { ...header, type: 'hardlink', linkname: first }
    links.set(found.identity, header.path)
  }
  return { ...header, size: stats.size, content: () => fileContent(found.file, stats, options.signal) }
}

/** SAFETY: SPEC: a file of such a name in a layer deletes another one; it can never be a file of an image. */
function refuseWhiteout(name: string): void {
  if (!name.startsWith('.wh.')) return
  throw new FormatError('ERR_INVALID_ARGUMENT', `name ${JSON.stringify(name)} would be a whiteout in a layer`)
}

function modeOf(
  policy: NonNullable<FromDirectoryOptions['mode']>,
  path: string,
  type: TarEntryType,
  mode: number,
): number {
  if (typeof policy === 'function') return policy(path, type, mode)
  if (policy === 'source') return mode
  if (type === 'symlink') return 0o777
  return type === 'directory' || (type === 'file' && (mode & 0o100) !== 0) ? 0o755 : 0o644
}

/** Linux keeps both numbers in parts. */
function deviceOf(rdev: Stats['rdev']): { devMajor: number; devMinor: number } {
  return { devMajor: (rdev >>> 8) & 0xfff, devMinor: (rdev & 0xff) | ((rdev >>> 12) & 0xfff00) }
}
