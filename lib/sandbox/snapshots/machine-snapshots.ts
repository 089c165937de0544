import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
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
export function machineSnapshots({ directory: given, maxBytes }: MachineSnapshotsOptions): SnapshotDriver {
  const directory = resolve(given)
  const copies = copyingSnapshots({ directory })
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return copies
  const overlays = kernelOrFuse({ directory, maxBytes })
  let works: boolean | undefined
  return {
    async openStack(store, layers, options) {
      // Only the driver that wrote to a place can read it.
      const holds = (name: string) => options?.place && existsSync(join(options.place.directory, name))
      const isOverlay = holds(UPPER)
      if (holds(UNPACKED) || (works === false && !isOverlay)) return copies.openStack(store, layers, options)
      try {
        const stack = await overlays.openStack(store, layers, options)
        works = true
        return stack
      } catch (error) {
        if (works || isOverlay || !(error instanceof SandboxError)) throw error
        works = false
        return copies.openStack(store, layers, options)
      }
    },
    removePlace: async place => overlays.removePlace?.(place),
  }
}

/**
 * Overlays of the kernel; where it mounts none at all, those of fuse-overlayfs, if it is installed.
 *
 * PERF: the kernel is asked by the first stack itself. A mount to find out took as long as that of a stack.
 */
function kernelOrFuse(options: MachineSnapshotsOptions): SnapshotDriver {
  const kernel = overlaySnapshots(options)
  let fuse: Promise<SnapshotDriver | undefined> | undefined
  let works = false
  return {
    ...kernel,
    async openStack(...args) {
      const chosen = await fuse
      if (chosen) return chosen.openStack(...args)
      try {
        const stack = await kernel.openStack(...args)
        works = true
        return stack
      } catch (error) {
        if (works || !SandboxError.is(error)) throw error
        fuse ??= fuseInstead(options)
        const other = await fuse
        if (!other) throw error
        return other.openStack(...args)
      }
    },
  }
}

/** In one directory layers have one form, so the kernel has to refuse every overlay. */
async function fuseInstead(options: MachineSnapshotsOptions): Promise<SnapshotDriver | undefined> {
  const isNeeded = findSystemProgram('fuse-overlayfs') !== undefined && (await refusesOverlays(options.directory))
  return isNeeded ? overlaySnapshots({ ...options, fuse: true }) : undefined
}
