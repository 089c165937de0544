import { bubblewrap } from './executors/bubblewrap/bubblewrap.ts'
import { type RootlessSandboxOptions, rootlessSandbox } from './rootless/rootless-sandbox.ts'
import type { Sandbox } from './sandbox.ts'
import { machineSnapshots } from './snapshots/machine-snapshots.ts'

/** Options of {@link machineSandbox}. */
export type MachineSandboxOptions = RootlessSandboxOptions

/**
 * The sandbox for the user of this process: bubblewrap with {@link machineSnapshots} as root, else
 * {@link rootlessSandbox}. Nothing is started before the first call of its members.
 */
export function machineSandbox({ directory }: MachineSandboxOptions): Sandbox {
  if (process.platform === 'linux' && process.getuid?.() !== 0) return rootlessSandbox({ directory })
  return {
    executor: bubblewrap(),
    snapshots: machineSnapshots({ directory }),
    async [Symbol.asyncDispose]() {},
  }
}
