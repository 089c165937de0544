import { randomBytes } from 'node:crypto'
import { readdir, readFile, rmdir } from 'node:fs/promises'
import { join } from 'node:path'
import { sleep } from '../../../internal/concurrency/sleep.ts'
import { createOwner, lifeOf } from '../../../internal/locks/owner.ts'

const PREFIX = 'layerstore'
/** The kernel removes a group a moment after its last process. */
const REMOVAL_TRIES = 50

/** Resolves to a name that tells which process a group belongs to: a group cannot hold files. */
export async function groupName(): Promise<string> {
  const { pid, start, namespace } = await createOwner()
  return [PREFIX, pid, start, /\d+/.exec(namespace)?.[0] ?? '', randomBytes(4).toString('hex')].join('-')
}

/** Removes groups of processes that have ended without doing so. */
export async function sweepGroups(parent: string): Promise<void> {
  for (const name of await readdir(parent)) {
    const [, pid, start, namespace] = /^layerstore-(\d+)-(\d+)-(\d+)-[0-9a-f]+$/.exec(name) ?? []
    if (pid === undefined || start === undefined) continue
    const owner = { ...(await createOwner()), pid: Number(pid), start, namespace: `pid:[${namespace}]` }
    if ((await lifeOf(owner, 0, parent)) === 'gone') await removeGroup(join(parent, name))
  }
}

/** Kills what is in a group and in groups below it, and removes them. Idempotent. */
export async function removeGroup(directory: string): Promise<void> {
  for (let i = 0; i < REMOVAL_TRIES; i++) {
    const processes = await readFile(join(directory, 'cgroup.procs'), 'utf8').catch(() => undefined)
    if (processes === undefined) return
    for (const entry of await readdir(directory, { withFileTypes: true }).catch(() => [])) {
      if (entry.isDirectory()) await removeGroup(join(directory, entry.name))
    }
    for (const pid of processes.match(/\d+/g) ?? []) killNow(Number(pid))
    const isGone = await rmdir(directory).then(
      () => true,
      () => false,
    )
    if (isGone) return
    await sleep(10)
  }
}

function killNow(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // It has ended.
  }
}
