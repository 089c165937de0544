import { spawn } from 'node:child_process'
import { stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { SandboxError } from '../../../../errors/index.ts'
import { sleep } from '../../../../internal/concurrency/sleep.ts'
import { requireSystemProgram } from '../../../executors/process/find-system-program.ts'
import type { Overlay } from './overlay.ts'

const POLL_MS = 5

/**
 * Mounts an overlay with fuse-overlayfs. Its process serves the mount: it ends when the mount does, and it is killed
 * with this process.
 *
 * @throws {@link SandboxError} `ERR_SANDBOX_NO_EXECUTOR`, `ERR_SANDBOX_MOUNT`.
 */
export async function mountFuse({ directory, lower, upper, work, target }: Overlay): Promise<void> {
  const program = requireSystemProgram('fuse-overlayfs', 'fuse-overlayfs')
  // Without `writeback=0` the upper directory lacks what the kernel has not passed on yet.
  const written = upper === undefined ? '' : `,upperdir=${upper},workdir=${work}`
  const options = `lowerdir=${lower.join(':')}${written},writeback=0`
  // SAFETY: in a mount namespace the process would keep the namespace, and so itself, after a `kill -9` of this one.
  const bound = ['--pdeathsig', 'KILL', program, '-f', '-o', options, target]
  const child = spawn(requireSystemProgram('setpriv', 'util-linux'), bound, {
    cwd: directory,
    env: {},
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  const said: Uint8Array[] = []
  let ended: string | undefined
  child.stderr.on('data', (chunk: Uint8Array) => said.push(chunk))
  child.once('error', error => {
    ended = error.message
  })
  child.once('close', () => {
    ended = Buffer.concat(said).toString('utf8').trim()
  })
  while (!(await isMounted(target))) {
    if (ended !== undefined) throw new SandboxError('ERR_SANDBOX_MOUNT', `fuse-overlayfs of ${target} failed: ${ended}`)
    await sleep(POLL_MS)
  }
  // The mount does not keep the process of the caller running.
  child.unref()
  child.stderr.destroy()
}

/** Resolves to whether a directory is on another filesystem than the directory it is in. */
async function isMounted(path: string): Promise<boolean> {
  const [own, parent] = await Promise.all([stat(path), stat(dirname(path))])
  return own.dev !== parent.dev
}
