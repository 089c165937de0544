import type { AbortOptions } from '../internal/abort.ts'
import { assertOptions } from '../internal/assert-kind.ts'
import { inBatches } from '../internal/memory/batched-iterable.ts'
import { type Borrowed, owned } from '../internal/memory/borrowed.ts'
import { pathOf } from '../internal/path-of.ts'
import { normalizePath, type TarEntryType, type TarInput } from '../tar/index.ts'
import { applyPolicies, type PolicyRules, policyRules, sourceDateEpoch } from './policy/apply-policies.ts'
import type { EntryPolicies } from './policy/entry-policies.ts'
import { parentEntries } from './policy/parent-entries.ts'
import { isPortableXattr } from './source/portable-xattr.ts'
import type { ReadEntry } from './source/read-directory.ts'

/**
 * Reads the extended attributes of a file or directory on disk. Names that have a meaning on this machine only are
 * removed from the result.
 *
 * @param path - Path on disk. Bytes that are not UTF-8 are lone surrogates U+DC80…U+DCFF.
 */
export type XattrReader = (path: string, type: TarEntryType) => XattrsRead | Promise<XattrsRead>

/** Names and values of extended attributes; `undefined` means none. */
export type XattrsRead = ReadonlyMap<string, Uint8Array> | undefined

/**
 * Options of {@link fromDirectory}. By default owner and group are 0, times are `SOURCE_DATE_EPOCH` or 0, and modes are
 * normalised.
 */
export interface FromDirectoryOptions extends AbortOptions, EntryPolicies {
  /** Directory of the image that receives the content. @defaultValue `'/'` */
  readonly at?: string | undefined
  /** Add entries for `at` and the directories above it, with mode 0755. @defaultValue `true` */
  readonly parents?: boolean | undefined
  /**
   * Patterns of paths to leave out, as in a `.dockerignore` file; a later `!` pattern includes a path again, see
   * {@link parseIgnoreFile}. An ignored directory is read only if a `!` pattern may include something in it.
   * @defaultValue none
   */
  readonly ignore?: readonly string[] | undefined
  /**
   * Returns true for the paths to include; a path is relative to the directory. An excluded directory is not read. The
   * function runs on the calling thread, so all reading happens there too; `ignore` patterns do not have this cost.
   */
  readonly filter?: ((path: string, type: TarEntryType) => boolean) | undefined
  /**
   * Handling of files with several names: `'keep'` makes the first name in order the file and the other names hard
   * links to it, `'copy'` makes each name a separate file. @defaultValue `'keep'`
   */
  readonly hardLinks?: 'keep' | 'copy' | undefined
  /**
   * Keep extended attributes of files and directories, read by the package `fs-xattr` (if it is installed) or by a
   * function. Attributes that have a meaning on this machine only (`security.selinux`, `trusted.overlay.*`,
   * `user.overlay.*`, `system.nfs4_acl`) are left out. @defaultValue `false`
   */
  readonly xattrs?: boolean | XattrReader | undefined
  /**
   * Thread that reads files: `'thread'` starts a worker thread unless the directory is small, `'inline'` reads on the
   * calling thread in slices of a few milliseconds. The entries are the same. @defaultValue `'thread'`
   */
  readonly reader?: 'thread' | 'inline' | undefined
}

/**
 * Yields the content of a directory as entries of a layer, the same on every machine, for every user and in every time
 * zone.
 *
 * Directories are read one at a time, in the byte order of their names. Symbolic links stay links and are never
 * followed. FIFOs and devices are kept, sockets are left out. The directory itself is an entry only under `at`. A
 * worker thread reads at most 2 MiB ahead. Read the content of each entry before you ask for the next entry, as
 * {@link writeLayer} does; later it may have to be read from disk again.
 *
 * @example
 * ```ts
 * const entries = fromDirectory('dist', { at: '/app', ignore: ['*.map'], mtime: 'clamp' })
 * const layer = await writeLayer(store, entries)
 * ```
 *
 * @param directory - A path, or a `file:` URL.
 *
 * @throws {@link SourceError} `ERR_SOURCE_NOT_FOUND` if the directory does not exist; `ERR_SOURCE_CHANGED` if a file or
 * directory changes, vanishes or is replaced during the read; `ERR_SOURCE_READ` if the system refuses a read.
 * @throws {@link FormatError} `ERR_INVALID_ARGUMENT` for an option out of range, for a malformed pattern, for extended
 * attributes without a reader, and for names that begin with `.wh.`, which would delete a path in an image.
 */
export function fromDirectory(
  directory: string | URL,
  options: FromDirectoryOptions = {},
): AsyncGenerator<TarInput, void, undefined> {
  return inBatches(batchesFrom(directory, options))
}

async function* batchesFrom(
  from: string | URL,
  options: FromDirectoryOptions,
): AsyncGenerator<Borrowed<readonly TarInput[]>, void, undefined> {
  assertOptions(options)
  const directory = pathOf(from, 'directory')
  const { signal, filter, xattrs = false } = options
  const at = normalizePath(options.at ?? '/', 'ERR_INVALID_ARGUMENT')
  const policies = { mtime: sourceDateEpoch(), uid: 0, gid: 0, mode: 'normal', ...given(options) } as const
  if (options.parents !== false) {
    const apply = applyPolicies(policies)
    yield owned(parentEntries(at).map(parent => ({ ...apply(parent), mode: 0o755 })))
  }
  const rules = policyRules(policies)
  const prefix = at === '.' ? '' : `${at}/`
  const { readDirectory } = await import('./source/read-directory.ts')
  const entries = readDirectory({
    root: directory,
    ignore: options.ignore ?? [],
    hardLinks: options.hardLinks !== 'copy',
    contents: true,
    accept: filter,
    xattrs: xattrs === true,
    reader: options.reader ?? 'thread',
    signal,
  })
  for await (const { value: batch, release } of entries) {
    const inputs: TarInput[] = []
    for (const found of batch) {
      const read = typeof xattrs === 'function' ? await portable(xattrs, directory, found) : undefined
      inputs.push(inputOf(found, { prefix, rules, read }))
    }
    yield { value: inputs, release }
  }
}

/** Copies the policies that are set. */
function given({ mtime, uid, gid, mode }: EntryPolicies): EntryPolicies {
  return Object.fromEntries(Object.entries({ mtime, uid, gid, mode }).filter(([, value]) => value !== undefined))
}

function inputOf(
  { entry, content }: ReadEntry,
  { prefix, rules, read }: { readonly prefix: string; readonly rules: PolicyRules; readonly read: XattrsRead },
): TarInput {
  const { path: name, type, size, linkname, devMajor, devMinor, xattrs: packed } = entry
  const xattrs = read ?? (packed && new Map(packed.map(([name, value]) => [name, Buffer.from(value, 'base64')])))
  // A policy gets a hard link as a file.
  const kind = type === 'hardlink' ? 'file' : type
  const path = prefix + name
  const mode = rules.mode(name, kind, entry.mode)
  const uid = rules.uid(name, kind, entry.uid)
  const gid = rules.gid(name, kind, entry.gid)
  const mtime = rules.mtime(name, kind, entry.mtime)
  // PERF: nearly all entries are plain files and directories.
  if (type === 'file' && !xattrs) return { path, type, mode, uid, gid, mtime, size, content }
  if (type === 'directory' && !xattrs) return { path, type, mode, uid, gid, mtime }
  return {
    path,
    type,
    mode,
    uid,
    gid,
    mtime,
    ...(linkname === undefined ? {} : { linkname: type === 'hardlink' ? prefix + linkname : linkname }),
    ...(devMajor === undefined ? {} : { devMajor }),
    ...(devMinor === undefined ? {} : { devMinor }),
    ...(xattrs && xattrs.size > 0 ? { xattrs } : {}),
    ...(type === 'file' ? { size, content } : {}),
  }
}

async function portable(read: XattrReader, directory: string, { entry }: ReadEntry): Promise<XattrsRead> {
  if (entry.type !== 'file' && entry.type !== 'directory') return undefined
  const all = await read(`${directory}/${entry.path}`, entry.type)
  return all && new Map([...all].filter(([name]) => isPortableXattr(name)).sort(([a], [b]) => (a < b ? -1 : 1)))
}
