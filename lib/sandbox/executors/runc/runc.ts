import { mkdir, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { SandboxError } from '../../../errors/index.ts'
import { keepFault } from '../../../internal/byte-source.ts'
import { confinedFault } from '../confined/confined-fault.ts'
import { runConfined } from '../confined/run-confined.ts'
import { StartFault } from '../confined/start-fault.ts'
import type { Executor, ExecutorProbe, ProbeOptions, ProcessExit, ProcessSpec } from '../executor.ts'
import { runtimeParents } from '../limits/group-directories.ts'
import { jsonWithLimits } from '../limits/resource-limits.ts'
import { RuntimeGroups } from '../limits/runtime-groups.ts'
import { platformFault } from '../platforms/platform-fault.ts'
import { findSystemProgram, requireSystemProgram } from '../process/find-system-program.ts'
import { namespaceIds } from '../process/namespace-ids.ts'
import { withView } from '../view/with-view.ts'
import { runtimeConfig } from './runtime-config.ts'
import { runtimeFault } from './runtime-fault.ts'

type Paths = [bundle: string, state: string, log: string, pid: string]

/**
 * An executor that isolates processes with `runc`, the runtime of Docker, and needs no daemon.
 *
 * Of the executors it is the closest to Docker: set-id programs work, and devices are kept away by a control group.
 *
 * Needs root, of the machine or of a user namespace, as in `rootlessSandbox`. In a user namespace it has no
 * control group, so it limits neither memory nor the number of processes (`ERR_SANDBOX_LIMIT`). crun is not used: it
 * refuses machines that have both versions of control groups.
 */
export function runc(): Executor {
  return { name: 'runc', probe, run }
}

async function probe({ signal, platform }: ProbeOptions = {}): Promise<ExecutorProbe> {
  const fault = await platformFault(platform)
  if (fault !== undefined) return { works: false, reason: fault }
  const program = findSystemProgram('runc')
  if (!program) return { works: false, reason: 'runc is not installed (package runc)' }
  if (process.getuid?.() !== 0) return { works: false, reason: 'runc is used as root only' }
  const problem = await confinedFault(() => outside([program, '--version']), { signal })
  if (problem !== undefined) return { works: false, reason: `runc does not work here: ${problem}` }
  // It looks for control groups even where it may create none.
  if ((await runtimeParents()).length === 0) {
    return { works: false, reason: 'runc needs control groups, and none are mounted at /sys/fs/cgroup' }
  }
  if (namespaceIds() !== 'all') return { works: true }
  const groups = await RuntimeGroups.create()
  await groups[Symbol.asyncDispose]()
  return groups.canLimit
    ? { works: true }
    : { works: false, reason: 'runc needs control groups, and none can be created below that of this process' }
}

async function run(spec: ProcessSpec): Promise<ProcessExit> {
  keepFault(spec.stdin)
  const program = requireSystemProgram('runc', 'runc')
  const ids = namespaceIds()
  if (ids !== 'all') assertNoGroupLimits(spec)
  return withView(spec, async ({ mounts, directory }) => {
    const [bundle, state, log, pid] = ['bundle', 'state', 'log', 'pid'].map(name => join(directory, name)) as Paths
    for (const path of [bundle, state]) await mkdir(path, { mode: 0o700 })
    // Control groups belong to root of the machine: without one, runc leaves the process in that of this process.
    await using groups = ids === 'all' ? await RuntimeGroups.create() : undefined
    const config = runtimeConfig(spec, { mounts, group: groups?.path, ids })
    // The config holds the variables, which may be secrets.
    await writeFile(join(bundle, 'config.json'), jsonWithLimits(config), { mode: 0o600 })
    const options = ['--root', state, '--log', log, '--log-format', 'json']
    const command = [program, ...options, 'run', '--bundle', bundle, '--pid-file', pid, basename(directory)]
    // The runtime sets the limits of memory and processes itself.
    const limits = { seconds: spec.limits?.seconds }
    const fault = new StartFault(spec)
    const given = { ...spec, limits, onOutput: fault.onOutput, makesTerminal: true }
    const exit = await runConfined(outside(command), given)
    const error = exit.code === 0 ? undefined : (fault.of(exit.code) ?? (await runtimeFault(log, pid, spec)))
    if (error) throw error
    if (exit.limit !== undefined || exit.code === 0) return exit
    const limit = await groups?.reached(spec.limits ?? {})
    return limit === undefined ? exit : { ...exit, limit }
  })
}

/** @throws {@link SandboxError} `ERR_SANDBOX_LIMIT` for limits that need a control group. */
function assertNoGroupLimits({ limits: { memory, processes } = {} }: ProcessSpec): void {
  if (memory === undefined && processes === undefined) return
  const what = 'memory and processes cannot be limited: runc has no control group in a user namespace'
  throw new SandboxError('ERR_SANDBOX_LIMIT', `${what}; use bubblewrap or chroot (--sandbox), or runc as root`)
}

/** The runtime reads numbers of processes in `/proc`, which has to be that of its process namespace. */
function outside(command: readonly string[]): string[] {
  const unshare = requireSystemProgram('unshare', 'util-linux')
  return [unshare, '--mount', '--propagation', 'slave', '--mount-proc', '--', ...command]
}
