import { changeUser } from '../confined/change-user.ts'
import type { ProcessSpec } from '../executor.ts'
import { requireSystemProgram } from '../process/find-system-program.ts'
import { namespaceIds } from '../process/namespace-ids.ts'
import { shellWord } from '../process/shell-word.ts'
import { DEFAULT_CAPABILITIES } from '../view/capabilities.ts'
import { DEVICE_LINKS, DEVICES } from '../view/devices.ts'
import { HOST_NAME } from '../view/network-files.ts'
import { type LateMount, systemDirectories, systemLinks } from './chroot-mounts.ts'

/** Paths on this machine that a script works with. */
export interface ScriptPlaces {
  /** An empty directory. */
  readonly top: string
  /** Tables of mounts: before and after `/dev` has its mount points. */
  readonly tables: readonly [outer: string, inner: string]
  /** Mounts that need mount points in others. */
  readonly late: readonly LateMount[]
  /** A file that has content when only the program of the process is left to be started. */
  readonly started: string
  /** A file with the filter of system calls, and what sets it. @defaultValue all are allowed */
  readonly filter?: ScriptFilter | undefined
}

/** A filter of system calls. */
export interface ScriptFilter {
  readonly file: string
  /** Words in front of a command that read it at {@link FILTER_DESCRIPTOR} and set it. */
  readonly words: readonly string[]
}

/** Files that the script keeps open while it leaves the files of this machine. */
export const FILTER_DESCRIPTOR = 6
const [VARIABLES, STARTED] = [3, 5]

/**
 * Returns the script of a shell of this machine that mounts what a process sees, moves to a small root of its own, and
 * becomes the process. It reads the variables at file descriptor 3, which no other user sees.
 *
 * SAFETY: root can leave a changed root. So nothing of this machine is behind it but programs, read-only: the script
 * moves to a new root, and unmounts the old one. System calls are refused from then on, before the variables of the
 * process are set: the program that sets the filter would obey some of them.
 */
export function chrootScript(process: ProcessSpec, { top, tables, late, started, filter }: ScriptPlaces): string {
  const [mount, umount, pivot, mkdir, ln] = ['mount', 'umount', 'pivot_root', 'mkdir', 'ln'].map(name =>
    shellWord(requireSystemProgram(name, name === 'mkdir' || name === 'ln' ? 'coreutils' : 'mount')),
  )
  const at = (path: string) => shellWord(top + path)
  const links = systemLinks()
  const dev = (name: string) => at(`/mnt/dev/${name}`)
  return [
    'set -e',
    `exec ${STARTED}>${shellWord(started)}`,
    ...(filter === undefined ? [] : [`exec ${FILTER_DESCRIPTOR}<${shellWord(filter.file)}`]),
    `${mount} -t tmpfs -o nodev,mode=755,size=64k tmpfs ${at('')}`,
    `${mkdir} ${[...systemDirectories(), '/mnt', '/old', '/proc'].map(at).join(' ')}`,
    ...links.map(({ path, to }) => `${ln} -s ${shellWord(to)} ${at(path)}`),
    // A program that sets the filter may read it, as perl does.
    ...(filter === undefined ? [] : [`${mkdir} ${at('/dev')}`, `: >${at('/dev/null')}`]),
    `${mount} --all --fstab ${shellWord(tables[0])}`,
    `${mkdir} ${['pts', 'shm', 'mqueue'].map(dev).join(' ')}`,
    ...DEVICES.map(name => `: >${dev(name)}`),
    ...DEVICE_LINKS.map(([name, to]) => `${ln} -s ${shellWord(to)} ${dev(name)}`),
    `${mount} --all --fstab ${shellWord(tables[1])}`,
    ...late.flatMap(({ above, isFile, source, target, type = 'none', options }) => [
      ...[...above, ...(isFile ? [] : [target])].map(
        path => `[ -d ${shellWord(path)} ] || ${mkdir} -m 755 ${shellWord(path)}`,
      ),
      ...(isFile ? [`[ -e ${shellWord(target)} ] || : >${shellWord(target)}`] : []),
      `${mount} ${['-t', type, '-o', options.join(','), source, target].map(shellWord).join(' ')}`,
    ]),
    setHostName(shellWord(process.hostname ?? HOST_NAME)),
    ...(process.network === 'none' ? [`${shellWord(requireSystemProgram('ip', 'iproute2'))} link set lo up`] : []),
    `cd ${at('')}`,
    `${pivot} . old`,
    'cd /',
    // umount reads the table of mounts in /proc.
    `${umount} -l /old`,
    `${umount} -l /proc`,
    filter === undefined ? lastScript(process) : filteredScript(process, filter),
  ].join('\n')
}

/** The last script with a filter, which another shell runs. */
function filteredScript(process: ProcessSpec, { words }: ScriptFilter): string {
  return `exec ${[...words, '/bin/sh', '-c', lastScript(process), 'sh'].map(shellWord).join(' ')}`
}

/** Sets the variables, and becomes the process. */
function lastScript(process: ProcessSpec): string {
  return [
    'set -e',
    `exec ${FILTER_DESCRIPTOR}<&-`,
    `layerstore_variables=$(${shellWord(requireSystemProgram('cat', 'coreutils'))} <&${VARIABLES})`,
    `exec ${VARIABLES}<&-`,
    `echo >&${STARTED}`,
    `exec ${STARTED}>&-`,
    'eval "$layerstore_variables; unset layerstore_variables"',
    `exec ${lastCommand(process)}`,
  ].join('\n')
}

/** The file of the kernel belongs to root of the machine; in a user namespace only the system call works. */
function setHostName(name: string): string {
  if (namespaceIds() === 'all') return `echo ${name} >/proc/sys/kernel/hostname`
  return `${shellWord(requireSystemProgram('hostname', 'hostname'))} ${name}`
}

/** `env` gets the variables that a shell cannot export. */
function lastCommand(process: ProcessSpec): string {
  const { capabilities = DEFAULT_CAPABILITIES } = process
  const command = changeUser(process, { root: '/mnt', capabilities })
  return `${shellWord(requireSystemProgram('env', 'coreutils'))} "$@" ${command.map(shellWord).join(' ')}`
}
