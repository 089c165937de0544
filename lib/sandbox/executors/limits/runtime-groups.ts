import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { ProcessLimits } from '../executor.ts'
import { type Controller, groupDirectories, runtimeParents } from './group-directories.ts'
import { groupName, removeGroup, sweepGroups } from './group-owner.ts'

/** Files with the highest value of a control group, for each version. */
const PEAKS = {
  memory: { 1: 'memory.max_usage_in_bytes', 2: 'memory.peak' },
  pids: { 1: 'pids.peak', 2: 'pids.peak' },
} as const
/** The kernel counts memory in batches: the highest value may be this much below the limit. */
const BATCH_BYTES = 256 * 1024

/**
 * Control groups that an OCI runtime creates for a process, in every hierarchy. The runtime removes the group of the
 * process; the one above it, which these are, tells what was used. Disposing removes them.
 */
export class RuntimeGroups implements AsyncDisposable {
  /** Path of the group of the process, relative to that of this process. */
  readonly path: string
  /** Whether a runtime can create groups here at all. */
  readonly canLimit: boolean
  readonly #name: string
  readonly #parents: readonly string[]

  private constructor(name: string, parents: readonly string[], canLimit: boolean) {
    this.#name = name
    this.path = `${name}/process`
    this.#parents = parents
    this.canLimit = canLimit
  }

  /** Chooses a name, and removes groups of processes that were killed. */
  static async create(): Promise<RuntimeGroups> {
    const parents = await runtimeParents()
    for (const parent of parents) await sweepGroups(parent).catch(() => {})
    const [pids] = await groupDirectories('pids')
    const name = await groupName()
    return new RuntimeGroups(name, parents, pids !== undefined && existsSync(join(pids.directory, 'cgroup.procs')))
  }

  /** Resolves to the limit that was reached by a process that has failed, if one was. */
  async reached({ memory, processes }: ProcessLimits): Promise<'memory' | 'processes' | undefined> {
    if (memory !== undefined && (await this.#peak('memory')) >= memory - BATCH_BYTES) return 'memory'
    return processes !== undefined && (await this.#peak('pids')) >= processes ? 'processes' : undefined
  }

  async #peak(controller: Controller): Promise<number> {
    for (const { directory, version } of await groupDirectories(controller)) {
      const text = await readFile(join(directory, this.#name, PEAKS[controller][version]), 'utf8').catch(() => '')
      if (text !== '') return Number(text)
    }
    return 0
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const parent of this.#parents) await removeGroup(join(parent, this.#name))
  }
}
