import { mkdir, mkdtemp, readdir, readFile, rm, rmdir, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { ImageLayer } from '../../../image/index.ts'
import { isErrno } from '../../../internal/errno.ts'
import { openUnionView, type UnionView } from '../../../rootfs/index.ts'
import type { Store } from '../../../store/index.ts'
import type { OpenStackOptions, SnapshotDriver, Stack } from '../stack.ts'
import { ownStack, sweepStacks } from '../stack-owner.ts'
import { copyRoot } from './copy-root.ts'
import { LayerSnapshots } from './layer-snapshots.ts'
import { mountOverlay, unmount } from './overlay-mount.ts'
import { upperChanges } from './upper-changes.ts'

/** Beginning of the names of stacks. */
const PREFIX = 'stack-'
/** The mount, in the directory of a stack. */
const ROOT = 'rootfs'
/** Directory of the changes, in the directory of a stack. */
export const UPPER = 'upper'

/** Options of {@link overlaySnapshots}. */
export interface OverlaySnapshotsOptions {
  /**
   * Directory for unpacked layers and mounts; any number of processes may share it. It must be on a filesystem that can
   * be the upper layer of an overlay, such as ext4, xfs or tmpfs.
   */
  readonly directory: string
}

/**
 * Snapshots with overlayfs: each layer is unpacked once, and a stack is a mount of its layers below a directory of its
 * own, which holds what was written. Needs root.
 *
 * Unpacked layers stay until the machine starts anew: they are not fsynced, so they are trusted for one boot. What a
 * killed process left mounted is unmounted and removed by the next one. Remove the directory to free its space.
 *
 * @throws {@link SandboxError} `ERR_SANDBOX_MOUNT` from `openStack`; the errors of `unpackLayers` and `openUnionView`.
 */
export function overlaySnapshots({ directory }: OverlaySnapshotsOptions): SnapshotDriver {
  let opened: Promise<OverlayDirectory> | undefined
  return {
    async openStack(store, layers, options = {}) {
      opened ??= OverlayDirectory.open(directory)
      return (await opened).openStack(store, layers, options)
    },
    removePlace: removeStack,
  }
}

/** Unmounts and removes the directory of a stack. */
async function removeStack(directory: string): Promise<void> {
  // Not mounted any more, or never: the removal below reports what matters.
  await unmount(join(directory, ROOT)).catch(() => {})
  await rm(directory, { recursive: true, force: true })
}

/** Unmounts a stack and removes all but what was written. */
async function closeStack(directory: string): Promise<void> {
  const { root, work, scratch } = partsOf(directory)
  if (await isMounted(root)) await unmount(root)
  // SAFETY: without recursion, as it would remove what a mount shows if its end has failed.
  await rmdir(root).catch(ignoreAbsent)
  // The kernel refuses the work directory of a volatile mount that a killed process has left.
  for (const path of [work, scratch]) await rm(path, { recursive: true, force: true })
}

/** Whether a directory is on another filesystem than the directory it is in. */
async function isMounted(path: string): Promise<boolean> {
  const [stats, parent] = await Promise.all([path, dirname(path)].map(each => stat(each).catch(ignoreAbsent)))
  return stats !== undefined && stats.dev !== parent?.dev
}

function ignoreAbsent(error: unknown): undefined {
  if (isErrno(error, 'ENOENT')) return undefined
  throw error
}

class OverlayDirectory {
  readonly #layers: string
  readonly #stacks: string
  readonly #snapshots: LayerSnapshots

  private constructor(layers: string, stacks: string) {
    this.#layers = layers
    this.#stacks = stacks
    this.#snapshots = new LayerSnapshots(layers)
  }

  static async open(directory: string): Promise<OverlayDirectory> {
    const boot = (await readFile('/proc/sys/kernel/random/boot_id', 'utf8')).trim()
    // Files of setuid programs must not be reached by other users.
    await mkdir(directory, { recursive: true, mode: 0o700 })
    const [layers, stacks] = [join(directory, boot, 'layers'), join(directory, boot, 'stacks')]
    for (const path of [layers, stacks]) await mkdir(path, { recursive: true, mode: 0o700 })
    for (const name of await readdir(directory)) {
      if (/^[0-9a-f-]{36}$/.test(name) && name !== boot)
        await rm(join(directory, name), { recursive: true, force: true })
    }
    await sweepStacks({ directory: stacks, prefix: PREFIX, remove: removeStack })
    return new OverlayDirectory(layers, stacks)
  }

  async openStack(store: Store, layers: readonly ImageLayer[], options: OpenStackOptions): Promise<Stack> {
    const { signal, place } = options
    const below = await openUnionView(store, layers, { signal })
    if (place?.attach) return stackOf(place.directory, below, async () => {})
    const lower = await this.#snapshots.open(store, layers, { signal })
    const directory = place?.directory ?? (await mkdtemp(join(this.#stacks, PREFIX)))
    const close = () => (place ? closeStack(directory) : removeStack(directory))
    try {
      if (place) await closeStack(directory)
      else await ownStack(directory)
      await this.#mount(directory, lower, place?.durable ?? false)
    } catch (error) {
      await close()
      throw error
    }
    return stackOf(directory, below, close)
  }

  async #mount(place: string, lower: readonly string[], durable: boolean): Promise<void> {
    const { upper, root, work, scratch, empty } = partsOf(place)
    const isNew = (await mkdir(upper, { recursive: true, mode: 0o755 })) !== undefined
    for (const path of [work, root, scratch]) await mkdir(path, { mode: 0o755 })
    // An image without layers has nothing below; a mount needs something there.
    if (lower.length === 0) await mkdir(empty, { recursive: true, mode: 0o755 })
    const directories = lower.length === 0 ? [empty] : lower
    if (isNew && lower[0] !== undefined) await copyRoot(join(this.#layers, lower[0]), upper)
    await mountOverlay({ directory: this.#layers, lower: directories, upper, work, target: root, durable })
  }
}

/** Directories in that of a stack. */
function partsOf(place: string) {
  const at = (name: string) => join(place, name)
  return { upper: at(UPPER), root: at(ROOT), work: at('work'), scratch: at('scratch'), empty: at('empty') }
}

function stackOf(place: string, below: UnionView, close: () => Promise<void>): Stack {
  const { upper, root, scratch } = partsOf(place)
  return {
    path: root,
    scratch,
    changes: (options = {}) => upperChanges({ below, upper, root }, options),
    close,
    [Symbol.asyncDispose]: close,
  }
}
