import { mkdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import type { ImageLayer } from '../../image/index.ts'
import { writeFileAtomic } from '../../internal/atomic-file.ts'
import { isErrno } from '../../internal/errno.ts'
import { diffEntries, diffTrees, directoryTree, type Tree, type TreeEntry } from '../../layer/index.ts'
import { openUnionView, type UnionView, unpackLayers } from '../../rootfs/index.ts'
import type { Store } from '../../store/index.ts'
import type { TarInput } from '../../tar/index.ts'
import { namespaceIds } from '../executors/process/namespace-ids.ts'
import type { SnapshotDriver, Stack, StackPlace } from './stack.ts'
import { makeStackDirectory, ownStack, sweepStacks } from './stack-owner.ts'

/** Beginning of the names of stacks: their directory may hold anything else. */
const PREFIX = 'layerstore-stack-'
/** File in the directory of a caller that lists what was unpacked. */
export const UNPACKED = 'unpacked.json'

/** Options of {@link copyingSnapshots}. */
export interface CopyingSnapshotsOptions {
  /** Directory for the copies. @defaultValue the directory of this machine for temporary files */
  readonly directory?: string | undefined
}

/**
 * Snapshots that are copies: each stack is unpacked anew, and changes are found by comparing the directory with the
 * layers. Works everywhere and needs no privilege, but takes time and space in the size of the root filesystem; owners
 * are applied only as root, and extended attributes that the process sets are not seen.
 */
export function copyingSnapshots(options: CopyingSnapshotsOptions = {}): SnapshotDriver {
  let swept: Promise<void> | undefined
  return {
    async openStack(store, layers, { signal, place, view } = {}) {
      const opened = view ?? (await openUnionView(store, layers, { signal }))
      if (place) return copiesIn(place, store, layers, opened, signal)
      const parent = resolve(options.directory ?? tmpdir())
      await mkdir(parent, { recursive: true })
      swept ??= sweepStacks({ directory: parent, prefix: PREFIX, remove })
      await swept
      const directory = await makeStackDirectory(parent, PREFIX)
      try {
        return await copiedStack(store, layers, directory, opened, signal)
      } catch (error) {
        await remove(directory)
        throw error
      }
    },
    removePlace: remove,
  }
}

const remove = (directory: string) => rm(directory, { recursive: true, force: true })

async function copiedStack(
  store: Store,
  layers: readonly ImageLayer[],
  directory: string,
  view: UnionView,
  signal: AbortSignal | undefined,
): Promise<Stack> {
  const { root, scratch } = partsOf(directory)
  await ownStack(directory)
  await mkdir(scratch)
  await unpackLayers(store, layers, root, { ...ownersHere(), signal })
  return stackOf(directory, { view, before: await unpackedEntries(root, view, signal) }, () => remove(directory))
}

/** The stack in a directory of the caller: the file with what was unpacked says that it is complete. */
async function copiesIn(
  { directory, attach }: StackPlace,
  store: Store,
  layers: readonly ImageLayer[],
  view: UnionView,
  signal: AbortSignal | undefined,
): Promise<Stack> {
  const { root, scratch, unpacked } = partsOf(directory)
  let before = await readEntries(unpacked)
  if (attach) return stackOf(directory, { view, before: before ?? [] }, async () => {})
  await remove(scratch)
  await mkdir(scratch, { recursive: true })
  if (!before) {
    await remove(root)
    await unpackLayers(store, layers, root, { ...ownersHere(), signal })
    before = await unpackedEntries(root, view, signal)
    await writeFileAtomic(unpacked, Buffer.from(JSON.stringify(before)), { mode: 0o600 })
  }
  return stackOf(directory, { view, before }, () => remove(scratch))
}

/** Parts of the directory of a stack. */
function partsOf(directory: string) {
  const at = (name: string) => join(directory, name)
  return { root: at('rootfs'), scratch: at('scratch'), unpacked: at(UNPACKED) }
}

/** Content of a copy before its process ran. */
interface Unpacked {
  readonly view: UnionView
  readonly before: readonly TreeEntry[]
}

function stackOf(directory: string, { view, before }: Unpacked, close: () => Promise<void>): Stack {
  const { root, scratch } = partsOf(directory)
  return {
    path: root,
    scratch,
    async *changes({ signal } = {}) {
      const diff = await diffTrees(unpackedTree(before, view), directoryTree(root, { signal }), { signal })
      for await (const entry of diffEntries(diff, root, { signal })) yield withOwner(entry)
    },
    close,
    [Symbol.asyncDispose]: close,
  }
}

/** Lists the unpacked directory. Owners that could not be applied count as they are on disk. */
async function unpackedEntries(
  root: string,
  view: UnionView,
  signal: AbortSignal | undefined,
): Promise<readonly TreeEntry[]> {
  const entries: TreeEntry[] = []
  for await (const { content: _, xattrs: _xattrs, ...entry } of directoryTree(root, { signal }).walk()) {
    entries.push({ ...entry, digest: view.stat(entry.path)?.digest })
  }
  return entries
}

async function readEntries(path: string): Promise<readonly TreeEntry[] | undefined> {
  try {
    return JSON.parse(await readFile(path, 'utf8')) as readonly TreeEntry[]
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return undefined
    throw error
  }
}

function unpackedTree(before: readonly TreeEntry[], view: UnionView): Tree {
  return {
    tellsXattrs: false,
    walk: () => before,
    read: path => view.read(path, { follow: false }),
    // A comparison does not read content of the lower tree whose digest is known.
    async *withContent() {},
  }
}

/** With one id owners cannot be applied; the bits stay, because the files are those of the image's root. */
function ownersHere(): { readonly rootless?: boolean; readonly keepSetId?: boolean } {
  return namespaceIds() === 'one' ? { rootless: true, keepSetId: true } : {}
}

/** Files of a user without privileges are those of root in the image. */
function withOwner(entry: TarInput): TarInput {
  const [uid, gid] = [process.getuid?.() ?? 0, process.getgid?.() ?? 0]
  if (uid === 0) return entry
  return { ...entry, uid: entry.uid === uid ? 0 : (entry.uid ?? 0), gid: entry.gid === gid ? 0 : (entry.gid ?? 0) }
}
