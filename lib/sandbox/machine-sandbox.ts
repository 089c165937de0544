import { type ExecutorName, machineExecutor } from './executors/machine-executor.ts'
import { type RootlessSandboxOptions, rootlessSandbox } from './rootless/rootless-sandbox.ts'
import type { Sandbox } from './sandbox.ts'
import { machineSnapshots } from './snapshots/machine-snapshots.ts'

/** Options of {@link machineSandbox}. */
export interface MachineSandboxOptions extends RootlessSandboxOptions {
  /** The executor to use. @defaultValue the first one that works: bubblewrap, runc, chroot */
  readonly executor?: ExecutorName | undefined
}

/**
 * The sandbox for the user of this process: {@link machineExecutor} with {@link machineSnapshots} as root, else
 * {@link rootlessSandbox}. Nothing is started before the first call of its members.
 */
export function machineSandbox({ directory, executor }: MachineSandboxOptions): Sandbox {
  if (process.platform === 'linux' && process.getuid?.() !== 0) return rootlessSandbox({ directory, executor })
  return {
    executor: machineExecutor(executor === undefined ? {} : { executors: [executor] }),
    snapshots: machineSnapshots({ directory }),
    async [Symbol.asyncDispose]() {},
  }
}
