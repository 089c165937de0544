import { statSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { SandboxError } from '../../../errors/index.ts'
import { keepFault } from '../../../internal/byte-source.ts'
import { confinedFault } from '../confined/confined-fault.ts'
import { loaderVariablesInside } from '../confined/loader-variables.ts'
import { runConfined } from '../confined/run-confined.ts'
import { StartFault } from '../confined/start-fault.ts'
import type { Executor, ExecutorProbe, ProbeOptions, ProcessExit, ProcessSpec } from '../executor.ts'
import { platformFault } from '../platforms/platform-fault.ts'
import { findSystemProgram, requireSystemProgram } from '../process/find-system-program.ts'
import { callFilter } from '../system-calls/call-filter.ts'
import { filterWords } from '../system-calls/filter-words.ts'
import { DEFAULT_CAPABILITIES } from '../view/capabilities.ts'
import { withView } from '../view/with-view.ts'
import { innerMounts, lateMounts, outerMounts } from './chroot-mounts.ts'
import { chrootNote } from './chroot-note.ts'
import { chrootScript, FILTER_DESCRIPTOR, type ScriptFilter } from './chroot-script.ts'
import { mountTable } from './mount-table.ts'
import { stepVariables } from './step-variables.ts'

/** Programs of every Linux distribution, and their packages in Debian. */
const PROGRAMS = [
  ['unshare', 'util-linux'],
  ['setpriv', 'util-linux'],
  ['pivot_root', 'util-linux'],
  ['mount', 'mount'],
  ['env', 'coreutils'],
] as const
/** Capabilities that the last program of this machine needs, so that no process can be without them. */
const NEEDED = ['CAP_SETGID', 'CAP_SETUID', 'CAP_SYS_CHROOT']

/**
 * Executor that needs only programs that every Linux distribution has: namespaces, mounts, and `chroot`.
 *
 * It is the weakest of the executors: what keeps a process inside is a changed root and missing capabilities. Behind
 * the root there are programs of this machine, read-only, which a process of root can read. A process sees the same as
 * in the others, and the same system calls are refused if there is perl or python3 to set the filter; set-id programs
 * work in it. `probe()` says in `note` that it is the weakest, and whether all system calls are allowed.
 *
 * Needs root. A process without network needs `ip` (package iproute2).
 */
export function chroot(): Executor {
  return { name: 'chroot', probe, run }
}

async function probe({ signal, platform }: ProbeOptions = {}): Promise<ExecutorProbe> {
  const fault = await platformFault(platform)
  if (fault !== undefined) return { works: false, reason: fault }
  for (const [name, aPackage] of PROGRAMS) {
    if (!findSystemProgram(name)) return { works: false, reason: `${name} is not installed (package ${aPackage})` }
  }
  if (process.getuid?.() !== 0) return { works: false, reason: 'chroot needs root' }
  const namespaces = [requireSystemProgram('unshare', 'util-linux'), '--mount', '--pid', '--fork', '--']
  const mount = [requireSystemProgram('mount', 'mount'), '-t', 'tmpfs', 'x', '/mnt']
  const problem = await confinedFault(() => [...namespaces, ...mount], { signal })
  if (problem !== undefined) return { works: false, reason: `namespaces and mounts do not work here: ${problem}` }
  return { works: true, note: chrootNote() }
}

async function run(spec: ProcessSpec): Promise<ProcessExit> {
  keepFault(spec.stdin)
  assertCapabilities(spec)
  return withView(spec, async ({ mounts, directory }) => {
    const [top, started] = [join(directory, 'top'), join(directory, 'started')]
    await mkdir(top)
    await writeFile(started, '')
    const tables = [join(directory, 'outer'), join(directory, 'inner')] as const
    await writeFile(tables[0], mountTable(outerMounts(top, spec)))
    await writeFile(tables[1], mountTable(innerMounts(`${top}/mnt`, mounts)))
    const filter = await writeFilter(join(directory, 'filter'), spec)
    const fault = new StartFault(spec)
    const { args, environment } = loaderVariablesInside(spec)
    const inputs = [stepVariables(environment)]
    const late = lateMounts(`${top}/mnt`, mounts)
    const script = chrootScript({ ...spec, args }, { top, tables, late, started, filter })
    const exit = await runConfined(commandOf(spec, script), { ...spec, inputs, onOutput: fault.onOutput })
    if (statSync(started).size === 0 && exit.limit === undefined) {
      throw new SandboxError('ERR_SANDBOX_START', `a process could not be prepared: ${fault.text}`)
    }
    const error = fault.of(exit.code)
    if (error) throw error
    return exit
  })
}

/** Writes the filter of system calls, if a process has one and a program of this machine can set it. */
async function writeFilter(
  file: string,
  { systemCalls, capabilities = DEFAULT_CAPABILITIES }: ProcessSpec,
): Promise<ScriptFilter | undefined> {
  const words = systemCalls === 'all' ? undefined : filterWords(FILTER_DESCRIPTOR)
  const filter = words && callFilter(capabilities)
  if (!words || !filter) return undefined
  await writeFile(file, filter)
  return { file, words }
}

/**
 * Waits for a command. Ctrl-C of its terminal reaches this shell too, which a trap keeps from ending with 130; a
 * command has no traps of the shell that starts it. The shell has no error output: it would write `Killed` there.
 */
const WAIT = 'trap : INT QUIT; exec 4>&2 2>/dev/null; (exec "$@" 2>&4 4>&-); exit $?'

/** A shell waits for the process: `unshare` itself does not tell by which signal it was killed. */
function commandOf({ network, terminal }: ProcessSpec, script: string): string[] {
  return [
    ...[requireSystemProgram('unshare', 'util-linux'), '--mount', '--propagation', 'slave'],
    ...['--pid', '--ipc', '--uts', '--cgroup', ...(network === 'none' ? ['--net'] : []), '--'],
    ...['/bin/sh', '-c', WAIT, 'sh'],
    ...(terminal ? [] : [requireSystemProgram('setsid', 'util-linux')]),
    ...['/bin/sh', '-c', script],
  ]
}

function assertCapabilities({ capabilities }: ProcessSpec): void {
  const lacking = NEEDED.filter(name => capabilities && !capabilities.includes(name))
  if (lacking.length === 0) return
  const names = lacking.join(', ')
  throw new SandboxError('ERR_SANDBOX_START', `chroot cannot take ${names} from a process; use bubblewrap or runc`)
}
