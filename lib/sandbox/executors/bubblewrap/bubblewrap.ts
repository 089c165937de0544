import { keepFault } from '../../../internal/byte-source.ts'
import { confinedFault } from '../confined/confined-fault.ts'
import { runConfined } from '../confined/run-confined.ts'
import { StartFault } from '../confined/start-fault.ts'
import type { Executor, ExecutorProbe, ProbeOptions, ProcessExit, ProcessSpec } from '../executor.ts'
import { platformFault } from '../platforms/platform-fault.ts'
import { findSystemProgram, requireSystemProgram } from '../process/find-system-program.ts'
import { withNote } from '../process/with-note.ts'
import { callFilter } from '../system-calls/call-filter.ts'
import { DEFAULT_CAPABILITIES } from '../view/capabilities.ts'
import { withView } from '../view/with-view.ts'
import { bubblewrapArgs } from './bubblewrap-args.ts'

/**
 * An executor that isolates processes with bubblewrap (`bwrap`) and needs no daemon.
 *
 * A process sees its root filesystem, a `/proc` of its own, a small `/dev`, `/sys` read-only, host name, hosts and name
 * servers as in a build of Docker, and has Docker's capabilities; the system calls that Docker refuses fail. It is PID
 * 1; everything that it leaves running is killed at its end.
 *
 * Needs root. bubblewrap sets `no_new_privs`, so setuid programs do not gain privileges in it.
 */
export function bubblewrap(): Executor {
  return { name: 'bubblewrap', probe, run }
}

async function probe({ signal, platform }: ProbeOptions = {}): Promise<ExecutorProbe> {
  const fault = await platformFault(platform)
  if (fault !== undefined) return { works: false, reason: fault }
  const program = findSystemProgram('bwrap')
  if (!program) return { works: false, reason: 'bwrap is not installed (package bubblewrap)' }
  if (process.getuid?.() !== 0) return { works: false, reason: 'bubblewrap is used as root only' }
  const args = ['--ro-bind', '/', '/', '--unshare-pid', '--proc', '/proc', '--dev', '/dev', 'true']
  const problem = await confinedFault(() => [program, ...args], { signal })
  return problem === undefined ? { works: true } : { works: false, reason: `bwrap does not work here: ${problem}` }
}

/** Messages of sudo, su and doas if they do not become root. */
const NO_PRIVILEGES = /no new privileges|must be (?:owned by uid 0 and have the )?setuid|effective uid is not 0/i
const NO_PRIVILEGES_NOTE =
  'set-id programs such as sudo gain no privileges in bubblewrap; as root they do with runc or chroot (--sandbox)'

async function run(spec: ProcessSpec): Promise<ProcessExit> {
  keepFault(spec.stdin)
  const program = requireSystemProgram('bwrap', 'bubblewrap')
  return withView(spec, async ({ mounts }) => {
    const { before, options, command } = bubblewrapArgs(spec, mounts)
    // Variables may be secret: other users see command lines, so bubblewrap reads its options from a pipe.
    const filter = spec.systemCalls === 'all' ? undefined : callFilter(spec.capabilities ?? DEFAULT_CAPABILITIES)
    const inputs = [options.map(option => `${option}\0`).join(''), ...(filter ? [filter] : [])]
    const fault = new StartFault(spec)
    let lacksPrivileges = false
    const onOutput: ProcessSpec['onOutput'] = (chunk, stream) => {
      lacksPrivileges ||= NO_PRIVILEGES.test(Buffer.from(chunk).toString('latin1'))
      fault.onOutput(chunk, stream)
    }
    const words = [...before, program, '--args', '3', ...(filter ? ['--seccomp', '4'] : []), '--', ...command]
    const exit = await runConfined(words, { ...spec, inputs, onOutput })
    throwIf(fault.of(exit.code))
    return lacksPrivileges ? withNote(exit, NO_PRIVILEGES_NOTE) : exit
  })
}

function throwIf(error: Error | undefined): void {
  if (error) throw error
}
