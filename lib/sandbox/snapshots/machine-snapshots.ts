import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { SandboxError } from '../../errors/index.ts'
import { findSystemProgram } from '../executors/process/find-system-program.ts'
import { copyingSnapshots, UNPACKED } from './copying-snapshots.ts'
import { refusesOverlays } from './overlay/mounting/refuses-overlays.ts'
import { overlaySnapshots, UPPER } from './overlay/overlay-snapshots.ts'
import type { SnapshotDriver } from './stack.ts'

/** Options of {@link machineSnapshots}. */
export interface MachineSnapshotsOptions {
  /** Directory for unpacked layers, mounts and copies; any number of processes may share it. */
  readonly directory: string
  /** Size limit of all unpacked layers; see {@link OverlaySnapshotsOptions.maxBytes}. @defaultValue 20 GB */
  readonly maxBytes?: number | undefined
}

/**
 * The best snapshots that work on this machine: {@link overlaySnapshots} as root, mounted by the kernel or, where it
 * refuses, by fuse-overlayfs; else {@link copyingSnapshots}. The choice is made when the first stack is opened.
 */
export function machineSnapshots({ directory, maxBytes }: MachineSnapshotsOptions): SnapshotDriver {
  const copies = copyingSnapshots({ directory })
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return copies
  let choice: Promise<SnapshotDriver> | undefined
  const chosen = () => {
    choice ??= chooseOverlays({ directory, maxBytes })
    return choice
  }
  let works: boolean | undefined
  return {
    async openStack(store, layers, options) {
      // Only the driver that wrote to a place can read it.
      const holds = (name: string) => options?.place && existsSync(join(options.place.directory, name))
      const isOverlay = holds(UPPER)
      if (holds(UNPACKED) || (works === false && !isOverlay)) return copies.openStack(store, layers, options)
      try {
        const stack = await (await chosen()).openStack(store, layers, options)
        works = true
        return stack
      } catch (error) {
        if (works || isOverlay || !(error instanceof SandboxError)) throw error
        works = false
        return copies.openStack(store, layers, options)
      }
    },
    removePlace: async place => (await chosen()).removePlace?.(place),
  }
}

/** Asks for fuse-overlayfs only where the kernel mounts no overlay: in one directory layers have one form. */
async function chooseOverlays(options: MachineSnapshotsOptions): Promise<SnapshotDriver> {
  const fuse = findSystemProgram('fuse-overlayfs') !== undefined && (await refusesOverlays(options.directory))
  return overlaySnapshots({ ...options, fuse })
}
