import { readdir } from 'node:fs/promises'
import { posix } from 'node:path'
import type { AbortOptions } from '../../../internal/abort.ts'
import { decodeName, encodeName } from '../../../internal/name-bytes.ts'
import { warnNoXattrs } from '../../../internal/warn-no-xattrs.ts'
import { findXattrPackage } from '../../../internal/xattr-access.ts'
import { compareHeaders, directoryTree, type TreeEntry, whiteoutPath } from '../../../layer/index.ts'
import { readXattrsOf, type UnionView } from '../../../rootfs/index.ts'
import type { TarInput } from '../../../tar/index.ts'
import { namespaceIds } from '../../executors/process/namespace-ids.ts'
import type { FoundChanges } from './keep-upper.ts'
import type { KernelCalls } from './mounting/kernel-calls.ts'

/** fuse-overlayfs marks removed names and directories that hide others by files, where it cannot do as the kernel. */
const FUSE_MARKS = ['**/.wh.*']

/** A mounted overlay whose changes are read. */
export interface ChangedOverlay {
  /** View of the layers below. */
  readonly below: UnionView
  /** Upper directory: what was written. */
  readonly upper: string
  /** The mount: what a process sees. */
  readonly root: string
  /** True if fuse-overlayfs mounted it. */
  readonly fuse: boolean
  /** Finds files with attributes without starting a program for it, where that is possible. */
  readonly calls?: KernelCalls | undefined
  /** Called with all that the upper directory holds, if the layer of the changes will hold exactly that. */
  readonly onFound?: ((changes: FoundChanges) => void) | undefined
}

/**
 * Yields what was written to an overlay, as entries of a layer. Only the upper directory is walked, so the cost is that
 * of the changes. A file that was opened for writing is a change even if it is equal; a directory is one if its mode,
 * owner, time or extended attributes are others. Attributes are read by the package `fs-xattr`, else by perl or
 * python3.
 *
 * In a user namespace of one id a changed file keeps the owner that it has below: no process can have given it another.
 */
export async function* upperChanges(
  { below, upper, root, fuse, calls, onFound }: ChangedOverlay,
  { signal }: AbortOptions,
): AsyncGenerator<TarInput, void, undefined> {
  const hasOwners = namespaceIds() !== 'one'
  const withOwner = (entry: TreeEntry) => (hasOwners ? entry : { ...entry, ...ownerBelow(entry, below) })
  const xattrsByPackage = findXattrPackage() !== undefined
  const tree = directoryTree(upper, { signal, xattrs: xattrsByPackage, ignore: fuse ? FUSE_MARKS : [] })
  yield* whiteouts({ below, root }, '')
  const found: TreeEntry[] = []
  for await (const entry of tree.walk()) {
    signal?.throwIfAborted()
    if (isWhiteout(entry)) continue
    if (entry.type === 'directory') yield* whiteouts({ below, root }, entry.path)
    found.push(withOwner(entry))
  }
  const whole = xattrsByPackage ? found : await withXattrs(found, upper, { calls, signal })
  const changed = (whole ?? found).filter(entry => entry.type !== 'directory' || isNew(entry, below))
  if (!fuse && whole && hasOwners && !whole.some(entry => hasLostXattrs(entry, below)))
    onFound?.({ found, changed: new Set(changed.map(({ path }) => path)) })
  yield* tree.withContent(changed, { signal })
}

/**
 * Entries with the attributes that a program of this machine reads; `undefined` if there is none. Links have none that
 * an image could hold.
 */
async function withXattrs(
  entries: readonly TreeEntry[],
  upper: string,
  { calls, signal }: AbortOptions & Pick<ChangedOverlay, 'calls'>,
): Promise<readonly TreeEntry[] | undefined> {
  const holders = entries.filter(({ type }) => type !== 'symlink' && type !== 'hardlink').map(({ path }) => path)
  // PERF: most steps change no file with extended attributes, and then no program is started to read them.
  const suspects = await calls?.withXattrs(upper, holders)
  signal?.throwIfAborted()
  const xattrs = await readXattrsOf(upper, suspects ?? holders, { signal })
  if (!xattrs && holders.length > 0) {
    warnNoXattrs()
    return undefined
  }
  return entries.map(entry => {
    const own = xattrs?.get(entry.path)
    return own ? { ...entry, xattrs: own } : entry
  })
}

/** Whiteouts of what a lower directory has and the mount does not show: a removed name, or a directory made anew. */
async function* whiteouts(
  { below, root }: Pick<ChangedOverlay, 'below' | 'root'>,
  path: string,
): AsyncGenerator<TarInput, void, undefined> {
  const lower = below.stat(path === '' ? '.' : path)
  if (lower?.type !== 'directory') return
  const directory = Buffer.concat([Buffer.from(`${root}/`), encodeName(path)])
  // SAFETY: as text, a name that is not UTF-8 would differ from that of the layer below, and its file would be removed.
  const shown = new Set((await readdir(directory, { encoding: 'buffer' })).map(decodeName))
  // In a user namespace no device of a layer was created, so none was removed.
  const hasDevices = namespaceIds() === 'all'
  for (const entry of below.list(path === '' ? '.' : path)) {
    if (!hasDevices && entry.type.endsWith('-device')) continue
    if (!shown.has(posix.basename(entry.path))) yield { path: whiteoutPath(entry.path), type: 'file', size: 0 }
  }
}

/** A layer cannot say that an attribute of a lower directory is gone: unpacking sets attributes, and removes none. */
function hasLostXattrs({ type, path, xattrs }: TreeEntry, below: UnionView): boolean {
  const lower = type === 'directory' ? below.stat(path) : undefined
  return lower?.type === 'directory' && [...(lower.xattrs?.keys() ?? [])].some(name => !xattrs?.has(name))
}

function isWhiteout({ type, devMajor, devMinor }: TreeEntry): boolean {
  return type === 'character-device' && devMajor === 0 && devMinor === 0
}

function ownerBelow({ path, type }: TreeEntry, below: UnionView): { readonly uid: number; readonly gid: number } {
  const lower = below.stat(path)
  return lower?.type === type ? { uid: lower.uid, gid: lower.gid } : { uid: 0, gid: 0 }
}

function isNew(entry: TreeEntry, below: UnionView): boolean {
  const lower = below.stat(entry.path)
  return lower?.type !== 'directory' || compareHeaders(lower, entry, true).length > 0
}
