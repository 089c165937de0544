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
  /** A file that appears when everything is mounted. */
  readonly started: string
}

/**
 * Returns the script of a shell of this machine that mounts what a process sees, moves to a small root of its own, and
 * becomes the process. It reads the variables at file descriptor 3, which no other user sees.
 *
 * SAFETY: root can leave a changed root. So nothing of this machine is behind it but programs, read-only: the script
 * moves to a new root, and unmounts the old one.
 */
export function chrootScript(process: ProcessSpec, { top, tables, late, started }: ScriptPlaces): string {
  const [mount, umount, pivot, mkdir, ln] = ['mount', 'umount', 'pivot_root', 'mkdir', 'ln'].map(name =>
    shellWord(requireSystemProgram(name, name === 'mkdir' || name === 'ln' ? 'coreutils' : 'mount')),
  )
  const at = (path: string) => shellWord(top + path)
  const links = systemLinks()
  const dev = (name: string) => at(`/mnt/dev/${name}`)
  return [
    'set -e',
    `layerstore_variables=$(${shellWord(requireSystemProgram('cat', 'coreutils'))} <&3)`,
    'exec 3<&-',
    `${mount} -t tmpfs -o nodev,mode=755,size=64k tmpfs ${at('')}`,
    `${mkdir} ${[...systemDirectories(), '/mnt', '/old', '/proc'].map(at).join(' ')}`,
    ...links.map(({ path, to }) => `${ln} -s ${shellWord(to)} ${at(path)}`),
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
    `: >${shellWord(started)}`,
    `cd ${at('')}`,
    `${pivot} . old`,
    'cd /',
    // umount reads the table of mounts in /proc.
    `${umount} -l /old`,
    `${umount} -l /proc`,
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
