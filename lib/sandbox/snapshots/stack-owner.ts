import { readdir, readFile, readlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

const OWNER = 'owner'

/** Directories of stacks below one directory. */
export interface StackDirectories {
  readonly directory: string
  /** Beginning of their names. */
  readonly prefix: string
  /** Removes one with all that belongs to it. */
  remove(stack: string): Promise<void>
}

/** Notes that this process owns the directory of a stack. */
export async function ownStack(directory: string): Promise<void> {
  const owner = `${process.pid} ${await startOf(process.pid)} ${await processSpace()}\n`
  await writeFile(join(directory, OWNER), owner, { flag: 'wx' })
}

/**
 * Removes the stacks of processes that have ended without doing so.
 *
 * SAFETY: a process of another container that shares the directory has a number that means another process here, or
 * none. Its stack would be removed while it runs, so only stacks of the same process namespace are looked at.
 */
export async function sweepStacks({ directory, prefix, remove }: StackDirectories): Promise<void> {
  const here = await processSpace()
  for (const name of await readdir(directory)) {
    if (!name.startsWith(prefix)) continue
    const stack = join(directory, name)
    // A stack without an owner is about to get one, or is that of another user.
    const owner = await readFile(join(stack, OWNER), 'utf8').catch(() => undefined)
    const [pid, start, space] = owner?.trim().split(' ') ?? []
    if (pid === undefined || start === undefined || space !== here) continue
    if ((await startOf(Number(pid))) === start) continue
    await remove(stack)
  }
}

/** Start time of a process in ticks since boot: with it a number that is used again is another process. */
async function startOf(pid: number): Promise<string> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '')
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? ''
}

/** The namespace in which numbers of processes mean something. */
function processSpace(): Promise<string> {
  return readlink('/proc/self/ns/pid').catch(() => 'none')
}
