import { mkdir, mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { ImageLayer } from '../../../image/index.ts'
import type { AbortOptions } from '../../../internal/abort.ts'
import { openUnionView } from '../../../rootfs/index.ts'
import type { Store } from '../../../store/index.ts'
import type { SnapshotDriver, Stack } from '../stack.ts'
import { ownStack, sweepStacks } from '../stack-owner.ts'
import { copyRoot } from './copy-root.ts'
import { LayerSnapshots } from './layer-snapshots.ts'
import { mountOverlay, unmount } from './overlay-mount.ts'
import { upperChanges } from './upper-changes.ts'

/** Beginning of the names of stacks. */
const PREFIX = 'stack-'
/** The mount, in the directory of a stack. */
const ROOT = 'rootfs'

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
  }
}

/** Unmounts and removes the directory of a stack. */
async function removeStack(directory: string): Promise<void> {
  // Not mounted any more, or never: the removal below reports what matters.
  await unmount(join(directory, ROOT)).catch(() => {})
  await rm(directory, { recursive: true, force: true })
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

  async openStack(store: Store, layers: readonly ImageLayer[], { signal }: AbortOptions): Promise<Stack> {
    const lower = await this.#snapshots.open(store, layers, { signal })
    const below = await openUnionView(store, layers, { signal })
    const place = await mkdtemp(join(this.#stacks, PREFIX))
    const [upper, work, root] = [join(place, 'upper'), join(place, 'work'), join(place, ROOT)]
    const scratch = join(place, 'scratch')
    const close = () => removeStack(place)
    try {
      await ownStack(place)
      for (const path of [upper, work, root, scratch]) await mkdir(path, { mode: 0o755 })
      // An image without layers has nothing below; a mount needs something there.
      if (lower.length === 0) await mkdir(join(place, 'empty'), { mode: 0o755 })
      const directories = lower.length === 0 ? [join(place, 'empty')] : lower
      if (lower[0] !== undefined) await copyRoot(join(this.#layers, lower[0]), upper)
      await mountOverlay({ directory: this.#layers, lower: directories, upper, work, target: root })
    } catch (error) {
      await close()
      throw error
    }
    return {
      path: root,
      scratch,
      changes: (options = {}) => upperChanges({ below, upper, root }, options),
      close,
      [Symbol.asyncDispose]: close,
    }
  }
}
