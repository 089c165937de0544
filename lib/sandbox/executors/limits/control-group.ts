import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { ProcessLimits } from '../executor.ts'
import { type Controller, type GroupDirectory, groupDirectories } from './group-directories.ts'
import { groupName, removeGroup, sweepGroups } from './group-owner.ts'

/** Files of an event counter and the name of the counter, for each limit and version of control groups. */
const COUNTERS = {
  memory: { 1: ['memory.oom_control', 'oom_kill'], 2: ['memory.events', 'oom_kill'] },
  processes: { 1: ['pids.events', 'max'], 2: ['pids.events', 'max'] },
} as const

type Limit = 'memory' | 'processes'

interface Member extends GroupDirectory {
  readonly limit: Limit
}

/** A control group of the kernel: limits of all processes in it. Disposing kills what is left in it, and removes it. */
export class ControlGroup implements AsyncDisposable {
  readonly #members: readonly Member[]

  private constructor(members: readonly Member[]) {
    this.#members = members
  }

  /**
   * Creates a group with limits of memory and processes, below that of this process, and removes groups of processes
   * that were killed. Resolves to `undefined` if this machine or user cannot have one for each of the limits.
   */
  static async create({ memory, processes }: ProcessLimits): Promise<ControlGroup | undefined> {
    const members: Member[] = []
    const name = await groupName()
    const group = new ControlGroup(members)
    const add = async (limit: Limit, controller: Controller, value: number | undefined) => {
      if (value === undefined) return true
      const made = await makeGroup(controller, name, value)
      if (made) members.push({ ...made, limit })
      return made !== undefined
    }
    if ((await add('memory', 'memory', memory)) && (await add('processes', 'pids', processes))) return group
    await group[Symbol.asyncDispose]()
    return undefined
  }

  /** Files that a process writes its number to in order to join. */
  get joinFiles(): readonly string[] {
    return [...new Set(this.#members.map(({ directory }) => join(directory, 'cgroup.procs')))]
  }

  /** Resolves to the limit that was reached, if one was. */
  async reached(): Promise<Limit | undefined> {
    for (const { directory, limit, version } of this.#members) {
      const [file, counter] = COUNTERS[limit][version]
      const text = await readFile(join(directory, file), 'utf8').catch(() => '')
      if (Number(new RegExp(`^${counter} (\\d+)$`, 'm').exec(text)?.[1] ?? 0) > 0) return limit
    }
    return undefined
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const directory of new Set(this.#members.map(member => member.directory))) await removeGroup(directory)
  }
}

/** Makes a group in the nearest directory where that works. */
async function makeGroup(controller: Controller, name: string, value: number): Promise<GroupDirectory | undefined> {
  for (const { directory: parent, version } of await groupDirectories(controller)) {
    const directory = join(parent, name)
    try {
      await sweepGroups(parent)
      if (version === 2) await enableController(parent, controller)
      await mkdir(directory, { recursive: true })
      await setLimit(directory, version, controller, value)
      return { directory, version }
    } catch {
      // Another user's, read-only, or with processes of its own: the next one may work.
      await removeGroup(directory)
    }
  }
  return undefined
}

/** Groups below a directory have the controllers that the directory hands down. */
async function enableController(parent: string, controller: Controller): Promise<void> {
  const file = join(parent, 'cgroup.subtree_control')
  const enabled = (await readFile(file, 'utf8')).trim().split(' ')
  if (!enabled.includes(controller)) await writeFile(file, `+${controller}`)
}

async function setLimit(directory: string, version: 1 | 2, controller: Controller, value: number): Promise<void> {
  const set = (file: string, text: string) => writeFile(join(directory, file), text, { flag: 'r+' })
  if (controller === 'pids') return set('pids.max', String(value))
  await set(version === 1 ? 'memory.limit_in_bytes' : 'memory.max', String(value))
  // A kernel without accounting of swap has no such file.
  const [swap, amount] = version === 1 ? ['memory.memsw.limit_in_bytes', String(value)] : ['memory.swap.max', '0']
  await set(swap, amount).catch(() => {})
}
