import { readdir, readFile, writeFile } from 'node:fs/promises'
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
  await writeFile(join(directory, OWNER), `${process.pid} ${await startOf(process.pid)}\n`, { flag: 'wx' })
}

/** Removes the stacks of processes that have ended without doing so. */
export async function sweepStacks({ directory, prefix, remove }: StackDirectories): Promise<void> {
  for (const name of await readdir(directory)) {
    if (!name.startsWith(prefix)) continue
    const stack = join(directory, name)
    // A stack without an owner is about to get one, or is that of another user.
    const owner = await readFile(join(stack, OWNER), 'utf8').catch(() => undefined)
    const [pid, start] = owner?.trim().split(' ') ?? []
    if (pid === undefined || start === undefined || (await startOf(Number(pid))) === start) continue
    await remove(stack)
  }
}

/** Start time of a process in ticks since boot: with it a number that is used again is another process. */
async function startOf(pid: number): Promise<string> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '')
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? ''
}
