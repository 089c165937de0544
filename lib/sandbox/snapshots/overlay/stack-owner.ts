import { readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { unmount } from './overlay-mount.ts'

const OWNER = 'owner'

/** Notes that this process owns a directory with a mount. */
export async function ownStack(directory: string): Promise<void> {
  await writeFile(join(directory, OWNER), `${process.pid} ${await startOf(process.pid)}\n`, { flag: 'wx' })
}

/** Unmounts and removes the directory of a stack. */
export async function removeStack(directory: string): Promise<void> {
  // Not mounted any more, or never: the removal below reports what matters.
  await unmount(join(directory, 'rootfs')).catch(() => {})
  await rm(directory, { recursive: true, force: true })
}

/** Removes the stacks of processes that have ended without doing so. */
export async function sweepStacks(directory: string): Promise<void> {
  for (const name of await readdir(directory)) {
    const stack = join(directory, name)
    const owner = await readFile(join(stack, OWNER), 'utf8').catch(() => undefined)
    // A stack without an owner is about to get one.
    const [pid, start] = owner?.trim().split(' ') ?? []
    if (pid === undefined || start === undefined || (await startOf(Number(pid))) === start) continue
    await removeStack(stack)
  }
}

/** Start time of a process in ticks since boot: with it a number that is used again is another process. */
async function startOf(pid: number): Promise<string> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '')
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? ''
}
