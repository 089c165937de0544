import { resolve } from 'node:path'
import type { ExecutorName } from '../executors/machine-executor.ts'
import type { Sandbox } from '../sandbox.ts'
import { rootlessExecutor } from './rootless-executor.ts'
import { rootlessSnapshots } from './rootless-snapshots.ts'
import { SandboxClient } from './sandbox-client.ts'

/** Options of {@link rootlessSandbox}. */
export interface RootlessSandboxOptions {
  /** Directory for unpacked layers, mounts and copies; any number of processes may share it. */
  readonly directory: string
  /** The executor to use in the namespace. @defaultValue the first one that works: bubblewrap, runc, chroot */
  readonly executor?: ExecutorName | undefined
}

/** A sandbox in a user namespace. */
export interface RootlessSandbox extends Sandbox {
  /** Removes a directory whose files belong to ids of the user's ranges, which the user alone cannot remove. */
  remove(path: string): Promise<void>
}

/**
 * A sandbox for a user without privileges. A process of Node lives in a user and mount namespace of its own; it unpacks
 * layers, mounts stacks, runs an executor and reads what has changed. It starts with the first call and ends with this
 * process.
 *
 * With ranges in `/etc/subuid` and `/etc/subgid`, and the package uidmap, files have all the owners of an image, and
 * steps may change users and owners. Without, everything belongs to one id: `chown` to others and `setgroups` fail, and
 * a process cannot run as another user; `probe()` says so in `note`. Devices cannot be created either way.
 *
 * @example
 * ```ts
 * await using sandbox = rootlessSandbox({ directory: '/home/me/.cache/layerstore/snapshots' })
 * const { executor, snapshots } = sandbox
 * await from('debian:12').run('apt-get update').build(store, { executor, snapshots })
 * ```
 *
 * @throws {@link SandboxError} from its members: `ERR_SANDBOX_NO_EXECUTOR`, `ERR_SANDBOX_START`, and those of the
 * executor and the snapshots as root has them.
 */
export function rootlessSandbox({ directory, executor }: RootlessSandboxOptions): RootlessSandbox {
  const client = new SandboxClient()
  return {
    executor: rootlessExecutor(client, executor),
    snapshots: rootlessSnapshots(client, resolve(directory)),
    async remove(path) {
      const { channel } = await client.connect()
      await channel.call('remove', { path })
    },
    [Symbol.asyncDispose]: () => client[Symbol.asyncDispose](),
  }
}
