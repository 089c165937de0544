import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { SandboxError } from '../../../errors/index.ts'
import type { AbortOptions } from '../../../internal/abort.ts'
import type { Executor, ExecutorProbe, ProcessExit, ProcessMount, ProcessSpec } from '../executor.ts'
import { findSystemProgram } from '../find-system-program.ts'
import { MountStubs } from '../mount-stubs.ts'
import { writeNetworkFiles } from '../network-files.ts'
import { runProgram } from '../run-program.ts'
import { bubblewrapArgs } from './bubblewrap-args.ts'

/** Directories that every process sees mounts at. */
const SYSTEM_POINTS = ['/proc', '/sys', '/dev']

/**
 * An executor that isolates processes with bubblewrap (`bwrap`) and needs no daemon.
 *
 * A process sees its root filesystem, a `/proc` of its own, a small `/dev`, `/sys` read-only, host name, hosts and name
 * servers as in a build of Docker, and has Docker's capabilities. It is PID 2 or later; everything that it leaves
 * running is killed at its end.
 *
 * Needs root. bubblewrap sets `no_new_privs`, so setuid programs do not gain privileges in it.
 */
export function bubblewrap(): Executor {
  return { name: 'bubblewrap', probe, run }
}

async function probe({ signal }: AbortOptions = {}): Promise<ExecutorProbe> {
  const program = findSystemProgram('bwrap')
  if (!program) return { works: false, reason: 'bwrap is not installed (package bubblewrap)' }
  if (process.getuid?.() !== 0) return { works: false, reason: 'bubblewrap is used as root only' }
  const output: Uint8Array[] = []
  const args = ['--ro-bind', '/', '/', '--unshare-pid', '--proc', '/proc', '--dev', '/dev', 'true']
  const { code } = await runProgram(program, args, { signal, onOutput: chunk => output.push(chunk) })
  return code === 0
    ? { works: true }
    : { works: false, reason: `bwrap does not work here: ${Buffer.concat(output).toString('utf8').trim()}` }
}

async function run(spec: ProcessSpec): Promise<ProcessExit> {
  const program = required('bwrap', 'bubblewrap')
  const chroot = required('chroot', 'coreutils')
  const beside = await mkdtemp(join(spec.scratch ?? tmpdir(), 'layerstore-bwrap-'))
  const stubs = new MountStubs(spec.root)
  try {
    const { hosts, resolver } = await writeNetworkFiles(beside)
    const given: ProcessMount[] = [
      { type: 'bind', source: hosts, target: '/etc/hosts', readOnly: true },
      { type: 'bind', source: resolver, target: '/etc/resolv.conf', readOnly: true },
      ...spec.mounts,
    ]
    for (const point of SYSTEM_POINTS) await stubs.makeDirectory(point)
    const mounts: ProcessMount[] = []
    for (const mount of given) mounts.push({ ...mount, target: await stubs.make(mount) })
    const { options, command } = bubblewrapArgs(spec, mounts, chroot)
    // Variables may be secret: other users see command lines, so bubblewrap reads its options from a pipe.
    const input = options.map(option => `${option}\0`).join('')
    return await runProgram(program, ['--args', '3', '--', ...command], { ...spec, input })
  } finally {
    await stubs.remove()
    await rm(beside, { recursive: true, force: true })
  }
}

function required(name: string, aPackage: string): string {
  const program = findSystemProgram(name)
  if (program) return program
  throw new SandboxError('ERR_SANDBOX_NO_EXECUTOR', `${name} is not installed: install the package ${aPackage}`)
}
