import { readdir } from 'node:fs/promises'
import { basename, join } from 'node:path'
import type { AbortOptions } from '../../../internal/abort.ts'
import { findXattrPackage } from '../../../internal/xattr-access.ts'
import { directoryTree, type TreeEntry, whiteoutPath } from '../../../layer/index.ts'
import type { UnionView } from '../../../rootfs/index.ts'
import type { TarInput } from '../../../tar/index.ts'
import { namespaceIds } from '../namespace-ids.ts'

/** A mounted overlay whose changes are read. */
export interface ChangedOverlay {
  /** View of the layers below. */
  readonly below: UnionView
  /** Upper directory: what was written. */
  readonly upper: string
  /** The mount: what a process sees. */
  readonly root: string
}

/**
 * Yields what was written to an overlay, as entries of a layer. Only the upper directory is walked, so the cost is that
 * of the changes. A file that was opened for writing is a change even if it is equal; a directory is one if its mode,
 * owner or time is another.
 *
 * In a user namespace of one id a changed file keeps the owner that it has below: no process can have given it another.
 */
export async function* upperChanges(
  { below, upper, root }: ChangedOverlay,
  { signal }: AbortOptions,
): AsyncGenerator<TarInput, void, undefined> {
  const hasOwners = namespaceIds() !== 'one'
  const withOwner = (entry: TreeEntry) => (hasOwners ? entry : { ...entry, ...ownerBelow(entry, below) })
  const tree = directoryTree(upper, { signal, xattrs: findXattrPackage() !== undefined })
  yield* whiteouts({ below, upper, root }, '')
  const changed: TreeEntry[] = []
  for await (const entry of tree.walk()) {
    signal?.throwIfAborted()
    if (isWhiteout(entry)) continue
    if (entry.type === 'directory') yield* whiteouts({ below, upper, root }, entry.path)
    const owned = withOwner(entry)
    if (entry.type !== 'directory' || isNew(owned, below)) changed.push(owned)
  }
  yield* tree.withContent(changed, { signal })
}

/** Whiteouts of what a lower directory has and the mount does not show: a removed name, or a directory made anew. */
async function* whiteouts({ below, root }: ChangedOverlay, path: string): AsyncGenerator<TarInput, void, undefined> {
  const lower = below.stat(path === '' ? '.' : path)
  if (lower?.type !== 'directory') return
  const shown = new Set(await readdir(join(root, path)))
  // In a user namespace no device of a layer was created, so none was removed.
  const hasDevices = namespaceIds() === 'all'
  for (const entry of below.list(path === '' ? '.' : path)) {
    if (!hasDevices && entry.type.endsWith('-device')) continue
    if (!shown.has(basename(entry.path))) yield { path: whiteoutPath(entry.path), type: 'file', size: 0 }
  }
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
  if (lower?.type !== 'directory') return true
  const { mode, uid, gid, mtime } = lower
  return mode !== entry.mode || uid !== entry.uid || gid !== entry.gid || Math.floor(mtime) !== Math.floor(entry.mtime)
}
