import type { AbortOptions } from '../internal/abort.ts'
import { inBatches, lendBatch, returnBatch } from '../internal/batches.ts'
import { normalizePath, type TarEntryType, type TarInput } from '../tar/index.ts'
import { applyPolicies, type PolicyRules, policyRules, sourceDateEpoch } from './policy/apply-policies.ts'
import type { EntryPolicies } from './policy/entry-policies.ts'
import { parentEntries } from './policy/parent-entries.ts'
import { type ReadEntry, readDirectory } from './source/read-directory.ts'
import { isPortableXattr } from './source/read-xattrs.ts'

/**
 * Reads the extended attributes of a file or directory on disk; names that only mean something on this machine are left
 * out of what it gives.
 *
 * @param path - Where it is. Bytes that are not UTF-8 are lone surrogates U+DC80…U+DCFF.
 */
export type XattrReader = (path: string, type: TarEntryType) => XattrsRead | Promise<XattrsRead>

/** Names and values of extended attributes; nothing is as good as none. */
export type XattrsRead = ReadonlyMap<string, Uint8Array> | undefined

/**
 * What of a directory goes into a layer, and as what. Unless told otherwise: owner and group 0, the time of
 * `SOURCE_DATE_EPOCH` or 0, normal modes.
 */
export interface FromDirectoryOptions extends AbortOptions, EntryPolicies {
  /** Directory inside the image that takes the content. @defaultValue `'/'` */
  readonly at?: string | undefined
  /** Whether `at` and the directories above it become entries too, of mode 0755. @defaultValue `true` */
  readonly parents?: boolean | undefined
  /**
   * What to leave out: patterns as in a `.dockerignore` file, in its order, `!` taking back; see {@link parseIgnoreFile}.
   * A directory that is left out is not looked into unless something in it may be taken back. @defaultValue nothing
   */
  readonly ignore?: readonly string[] | undefined
  /**
   * Says what to take, by the path inside the directory; a directory that is not taken is not looked into. It is asked on
   * the calling thread, so all reading is done there too; patterns do not have that price.
   */
  readonly filter?: ((path: string, type: TarEntryType) => boolean) | undefined
  /**
   * Of several names of one file: `'keep'` makes the first in order the file and the others hard links to it, `'copy'`
   * makes each a file of its own. @defaultValue `'keep'`
   */
  readonly hardLinks?: 'keep' | 'copy' | undefined
  /**
   * Keep extended attributes of files and directories: with the package `fs-xattr` if it is installed, or with a function.
   * What only means something on this machine (`security.selinux`, `trusted.overlay.*`, `user.overlay.*`,
   * `system.nfs4_acl`) is left out. @defaultValue `false`
   */
  readonly xattrs?: boolean | XattrReader | undefined
  /**
   * Where files are read: in a thread of their own once there is more than a little, or in the calling one, in slices of a
   * few milliseconds. The entries are the same. @defaultValue `'thread'`
   */
  readonly reader?: 'thread' | 'inline' | undefined
}

/**
 * The content of a directory as entries for a layer, the same on every machine, for every user and in every time zone.
 *
 * Directories are read one at a time, in the order of the bytes of their names. Symbolic links stay links and are never
 * followed. Fifos and devices are kept, sockets are left out. The directory itself is an entry only under `at`. Reading
 * is done in another thread, at most 2 MiB ahead. Take the content of each entry before the next entry, as
 * {@link writeLayer} does; later it may have to be read again.
 *
 * @throws {@link SourceError} `ERR_SOURCE_NOT_FOUND` if there is no such directory; `ERR_SOURCE_CHANGED` for a file or
 * directory that changes, vanishes or is replaced meanwhile; `ERR_SOURCE_READ` for what the system does not let us read.
 * @throws {@link FormatError} `ERR_INVALID_ARGUMENT` for an option out of range, for a malformed pattern, for extended
 * attributes without a reader, and for names that begin with `.wh.`, which would delete something in an image.
 */
export function fromDirectory(
  directory: string,
  options: FromDirectoryOptions = {},
): AsyncGenerator<TarInput, void, undefined> {
  return inBatches(batchesFrom(directory, options))
}

async function* batchesFrom(
  directory: string,
  options: FromDirectoryOptions,
): AsyncGenerator<readonly TarInput[], void, undefined> {
  const { signal, filter, xattrs = false } = options
  const at = normalizePath(options.at ?? '/', 'ERR_INVALID_ARGUMENT')
  const policies = { mtime: sourceDateEpoch(), uid: 0, gid: 0, mode: 'normal', ...given(options) } as const
  if (options.parents !== false) {
    const apply = applyPolicies(policies)
    yield parentEntries(at).map(parent => ({ ...apply(parent), mode: 0o755 }))
  }
  const rules = policyRules(policies)
  const prefix = at === '.' ? '' : `${at}/`
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
  for await (const batch of entries) {
    const inputs: TarInput[] = []
    for (const found of batch) {
      const read = typeof xattrs === 'function' ? await portable(xattrs, directory, found) : undefined
      inputs.push(inputOf(found, { prefix, rules, read }))
    }
    yield lendBatch(inputs, () => returnBatch(batch))
  }
}

/** The policies that are set. */
function given({ mtime, uid, gid, mode }: EntryPolicies): EntryPolicies {
  return Object.fromEntries(Object.entries({ mtime, uid, gid, mode }).filter(([, value]) => value !== undefined))
}

function inputOf(
  { entry, content }: ReadEntry,
  { prefix, rules, read }: { readonly prefix: string; readonly rules: PolicyRules; readonly read: XattrsRead },
): TarInput {
  const { path: name, type, size, linkname, devMajor, devMinor, xattrs: packed } = entry
  const xattrs = read ?? (packed && new Map(packed.map(([name, value]) => [name, Buffer.from(value, 'base64')])))
  // Another name of a file is a file to whoever decides.
  const kind = type === 'hardlink' ? 'file' : type
  const path = prefix + name
  const mode = rules.mode(name, kind, entry.mode)
  const uid = rules.uid(name, kind, entry.uid)
  const gid = rules.gid(name, kind, entry.gid)
  const mtime = rules.mtime(name, kind, entry.mtime)
  // PERF: files and directories without anything special are nearly all there is.
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
