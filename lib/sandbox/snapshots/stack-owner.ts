import { writeFileSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createOwner, lifeOf, parseOwner } from '../../internal/locks/owner.ts'

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
  writeFileSync(join(directory, OWNER), JSON.stringify(await createOwner()), { flag: 'wx' })
}

/**
 * Removes the stacks of processes that have ended without doing so.
 *
 * SAFETY: a process of another container that shares the directory has a number that means another process here, or
 * none. Its stack would be removed while it runs, so only a stack whose owner is certainly dead is removed.
 */
export async function sweepStacks({ directory, prefix, remove }: StackDirectories): Promise<void> {
  for (const name of await readdir(directory)) {
    if (!name.startsWith(prefix)) continue
    const stack = join(directory, name)
    if ((await stackLife(stack)) === 'gone') await remove(stack)
  }
}

/** State of the process that owns a stack. A stack without an owner is about to get one, or is that of another user. */
export async function stackLife(stack: string): Promise<'gone' | 'alive' | 'unknown'> {
  const owner = parseOwner(await readFile(join(stack, OWNER), 'utf8').catch(() => ''))
  return owner ? lifeOf(owner, 0, stack) : 'unknown'
}
