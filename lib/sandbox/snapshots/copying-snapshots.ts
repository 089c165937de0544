import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ImageLayer } from '../../image/index.ts'
import { diffEntries, diffTrees, directoryTree, type Tree, type TreeEntry } from '../../layer/index.ts'
import { openUnionView, type UnionView, unpackLayers } from '../../rootfs/index.ts'
import type { Store } from '../../store/index.ts'
import type { TarInput } from '../../tar/index.ts'
import type { SnapshotDriver, Stack } from './stack.ts'
import { ownStack, sweepStacks } from './stack-owner.ts'

/** Beginning of the names of stacks: their directory may hold anything else. */
const PREFIX = 'layerstore-stack-'

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
    async openStack(store, layers, { signal } = {}) {
      const parent = options.directory ?? tmpdir()
      await mkdir(parent, { recursive: true })
      swept ??= sweepStacks({ directory: parent, prefix: PREFIX, remove })
      await swept
      const directory = await mkdtemp(join(parent, PREFIX))
      try {
        return await copiedStack(store, layers, directory, signal)
      } catch (error) {
        await remove(directory)
        throw error
      }
    },
  }
}

const remove = (directory: string) => rm(directory, { recursive: true, force: true })

async function copiedStack(
  store: Store,
  layers: readonly ImageLayer[],
  directory: string,
  signal: AbortSignal | undefined,
): Promise<Stack> {
  const [root, scratch] = [join(directory, 'rootfs'), join(directory, 'scratch')]
  await ownStack(directory)
  await mkdir(scratch)
  await unpackLayers(store, layers, root, { signal })
  const view = await openUnionView(store, layers, { signal })
  const before = await unpackedTree(root, view, signal)
  const close = () => remove(directory)
  return {
    path: root,
    scratch,
    async *changes({ signal } = {}) {
      const diff = await diffTrees(before, directoryTree(root, { signal }), { signal })
      for await (const entry of diffEntries(diff, root, { signal })) yield withOwner(entry)
    },
    close,
    [Symbol.asyncDispose]: close,
  }
}

/** Returns the unpacked directory as a tree. Owners that could not be applied count as they are on disk. */
async function unpackedTree(root: string, view: UnionView, signal: AbortSignal | undefined): Promise<Tree> {
  const entries: TreeEntry[] = []
  for await (const { content: _, ...entry } of directoryTree(root, { signal }).walk()) {
    entries.push({ ...entry, digest: view.stat(entry.path)?.digest })
  }
  return {
    tellsXattrs: false,
    walk: () => entries,
    read: path => view.read(path, { follow: false }),
    // A comparison does not read content of the lower tree whose digest is known.
    async *withContent() {},
  }
}

/** Files of a user without privileges are those of root in the image. */
function withOwner(entry: TarInput): TarInput {
  const [uid, gid] = [process.getuid?.() ?? 0, process.getgid?.() ?? 0]
  if (uid === 0) return entry
  return { ...entry, uid: entry.uid === uid ? 0 : (entry.uid ?? 0), gid: entry.gid === gid ? 0 : (entry.gid ?? 0) }
}
