import { getSystemErrorMap } from 'node:util'
import { SandboxError } from '../../../../errors/index.ts'
import { findSystemProgram } from '../../../executors/process/find-system-program.ts'
import { namespaceIds } from '../../../executors/process/namespace-ids.ts'
import { runProgram } from '../../../executors/process/run-program.ts'
import type { KernelCalls } from './kernel-calls.ts'
import { mountFuse } from './mount-fuse.ts'
import type { Overlay } from './overlay.ts'

/**
 * Options that make the upper directory complete: without them a renamed directory would be a reference to a lower
 * layer, and a changed mode a file without content.
 */
const PLAIN = 'redirect_dir=off,metacopy=off,index=off'
/**
 * The same in a user namespace, where the kernel keeps its marks in attributes `user.overlay.*`. SPEC: overlayfs
 * refuses `redirect_dir=off` with `userxattr`, as it would follow renames of others; `nofollow` makes none either.
 */
const PLAIN_FOR_USERS = 'userxattr,redirect_dir=nofollow,index=off'
/**
 * PERF: without it the end of a mount flushes the whole filesystem of the upper directory: 15 seconds beside processes
 * that write much. Snapshots are not trusted after a crash.
 */
const NO_SYNC = 'volatile'

/**
 * Mounts an overlay.
 *
 * @param calls - Mounts without starting a program for it, where that is possible.
 */
export async function mountOverlay(overlay: Overlay, calls?: KernelCalls): Promise<void> {
  if (overlay.fuse) return mountFuse(overlay)
  const { directory, lower, upper, work, target, durable } = overlay
  const plain = namespaceIds() === 'all' ? PLAIN : PLAIN_FOR_USERS
  const written = upper === undefined ? [] : [`upperdir=${upper}`, `workdir=${work}`, ...(durable ? [] : [NO_SYNC])]
  const options = [`lowerdir=${lower.join(':')}`, ...written, plain].join(',')
  const failure = await calls?.mount(directory, target, options)
  if (failure !== undefined) return assertDone('mount', target, failure)
  // The kernel takes at most a page of options: relative paths leave room for a hundred layers.
  await runMount('mount', ['-t', 'overlay', 'overlay', '-o', options, target], directory)
}

/** Unmounts what is mounted at a path. A mount that is in use disappears when it no longer is. */
export async function unmount(target: string, calls?: KernelCalls): Promise<void> {
  const failure = await calls?.unmount(target)
  if (failure !== undefined) return assertDone('umount', target, failure)
  await runMount('umount', ['--lazy', target], '/')
}

function assertDone(act: string, target: string, failure: number): void {
  if (failure === 0) return
  const [name, meaning] = getSystemErrorMap().get(-failure) ?? [`error ${failure}`, 'not known']
  throw new SandboxError('ERR_SANDBOX_MOUNT', `${act} of ${target} failed: ${meaning} (${name})`)
}

async function runMount(name: string, args: readonly string[], directory: string): Promise<void> {
  const program = findSystemProgram(name)
  if (!program) throw new SandboxError('ERR_SANDBOX_NO_EXECUTOR', `${name} is not installed: install the package mount`)
  const output: Uint8Array[] = []
  const onOutput = (chunk: Uint8Array) => output.push(chunk)
  const { code } = await runProgram(program, args, { directory, onOutput })
  if (code === 0) return
  const said = Buffer.concat(output).toString('utf8').trim()
  throw new SandboxError('ERR_SANDBOX_MOUNT', `${name} of ${args.at(-1)} failed: ${said}`)
}
