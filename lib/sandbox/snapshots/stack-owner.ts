import { writeFileSync } from 'node:fs'
import { mkdtemp, readdir, readFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { createOwner, lifeOf, type Owner, parseOwner } from '../../internal/locks/owner.ts'

const OWNER = 'owner'

/** Directories of stacks below one directory. */
export interface StackDirectories {
  readonly directory: string
  /** Beginning of their names. */
  readonly prefix: string
  /** Removes one with all that belongs to it. */
  remove(stack: string): Promise<void>
}

/**
 * Creates the directory of a stack, whose name says which process owns it.
 *
 * SAFETY: a process may be killed before it has written the record, and while it removes the directory, which may begin
 * with the record. The name is there from the first moment to the last.
 */
export async function makeStackDirectory(parent: string, prefix: string): Promise<string> {
  const { pid, start, namespace, host } = await createOwner()
  const words = [plainHost(host), pid, start || 0, namespace.replace(/\D/g, '') || 0]
  return mkdtemp(join(parent, `${prefix}${words.join('-')}-`))
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

/** State of the process that owns a stack, by its record or else by the name of the directory. */
export async function stackLife(stack: string): Promise<'gone' | 'alive' | 'unknown'> {
  const owner = parseOwner(await readFile(join(stack, OWNER), 'utf8').catch(() => '')) ?? (await ownerInName(stack))
  return owner ? lifeOf(owner, 0, stack) : 'unknown'
}

/** The owner that a name tells; its boot is taken for this one. */
async function ownerInName(stack: string): Promise<Owner | undefined> {
  const [, host, pid, start, namespace] = IN_NAME.exec(basename(stack)) ?? []
  const here = await createOwner()
  if (host !== plainHost(here.host) || pid === undefined || start === undefined || start === '0') return undefined
  return { ...here, pid: Number(pid), start, namespace: `pid:[${namespace}]` }
}

const IN_NAME = /-(\w{0,32})-(\d{1,10})-(\d{1,20})-(\d{1,20})-\w{6}$/

/** Names of machines are unique among those that share a directory. */
function plainHost(host: string): string {
  return host.replace(/\W/g, '_').slice(0, 32)
}
