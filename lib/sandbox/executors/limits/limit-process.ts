import { readFileSync } from 'node:fs'
import { SandboxError } from '../../../errors/index.ts'
import type { ProcessExit, ProcessLimits, ProcessSpec } from '../executor.ts'
import { findSystemProgram } from '../process/find-system-program.ts'
import { isRootOfMachine } from '../process/namespace-ids.ts'
import { withNote } from '../process/with-note.ts'
import { ControlGroup } from './control-group.ts'
import { raisingWords } from './resource-limits.ts'

/** Processes of the sandbox itself that count: the first of the outer namespace and what waits for the process. */
const OWN_PROCESSES = 2

/** Note of a process that failed under such limits: the system does not report that it reached one. */
const OF_EACH =
  'without a control group, the limit of memory is that of each process and the limit of processes that of the user'

/** Joins control groups, and becomes the command. The umask of this process has no say. */
const JOIN =
  'umask 022; n=$1; shift; while [ "$n" -gt 0 ]; do echo $$ >"$1" || exit 125; shift; n=$((n-1)); done; exec "$@"'

/**
 * Calls `run` with words that, in front of a command, limit its memory and its number of processes.
 *
 * A control group limits all processes together. Where there can be none, as for most users other than root, limits of
 * each process take its place: of its address space, and of the processes of its user on the whole machine.
 *
 * @throws {@link SandboxError} `ERR_SANDBOX_LIMIT` if neither is possible.
 */
export async function limitProcess(
  { limits = {}, user }: Pick<ProcessSpec, 'limits' | 'user'>,
  run: (prefix: readonly string[]) => Promise<ProcessExit>,
): Promise<ProcessExit> {
  const isRoot = user.uid === 0 && isRootOfMachine()
  const words = raisingWords(limits.resources)
  if (limits.memory === undefined && limits.processes === undefined) return run([...joining([]), ...words])
  const processes = limits.processes === undefined ? undefined : limits.processes + OWN_PROCESSES
  await using group = await ControlGroup.create({ memory: limits.memory, processes })
  if (!group) return withNote(await run([...joining([]), ...words, ...limitsOfEach(limits, isRoot)]), OF_EACH)
  const exit = await run([...joining(group.joinFiles), ...words])
  const limit = exit.limit ?? (await group.reached())
  return limit === undefined ? exit : { ...exit, limit }
}

/** PERF: starts no shell if there is nothing to join or to change. */
function joining(files: readonly string[]): string[] {
  if (files.length === 0 && hasUsualUmask()) return []
  return ['/bin/sh', '-c', JOIN, 'sh', String(files.length), ...files]
}

/** NODE: `process.umask()` changes the umask of all threads for a moment. */
function hasUsualUmask(): boolean {
  return /^Umask:\s*0022$/m.test(readFileSync('/proc/self/status', 'utf8'))
}

function limitsOfEach({ memory, processes }: ProcessLimits, isRoot: boolean): string[] {
  const program = findSystemProgram('prlimit')
  if (!program) throw noLimit('prlimit is not installed (package util-linux)')
  if (processes !== undefined && isRoot) throw noLimit('the kernel does not limit the processes of root otherwise')
  return [
    program,
    ...(memory === undefined ? [] : [`--as=${memory}`]),
    ...(processes === undefined ? [] : [`--nproc=${processes}`]),
    '--',
  ]
}

function noLimit(why: string): SandboxError {
  return new SandboxError(
    'ERR_SANDBOX_LIMIT',
    `memory and processes cannot be limited: no control group can be created below that of this process, and ${why}`,
  )
}
