import { existsSync, lstatSync, readlinkSync, statSync } from 'node:fs'
import { changeUser } from '../confined/change-user.ts'
import { loaderVariablesInside } from '../confined/loader-variables.ts'
import type { ProcessMount, ProcessSpec } from '../executor.ts'
import { resourceWords } from '../limits/resource-limits.ts'
import { requireSystemProgram } from '../process/find-system-program.ts'
import { DEFAULT_CAPABILITIES } from '../view/capabilities.ts'
import { NEW_FILESYSTEM_MODE, SHARED_MEMORY_BYTES } from '../view/devices.ts'
import { HIDDEN_PATHS, READ_ONLY_PATHS } from '../view/masked-paths.ts'
import { HOST_NAME } from '../view/network-files.ts'
import { SYSTEM_DIRECTORIES } from '../view/system-directories.ts'

/** Path of the root filesystem if another program must change the user first. */
const CHANGED_ROOT = '/mnt'

/** Arguments of bubblewrap. */
export interface BubblewrapArgs {
  /** Words in front of bubblewrap. */
  readonly before: readonly string[]
  /** Options; they hold variables, so they must not be on a command line. */
  readonly options: readonly string[]
  /** The command that bubblewrap starts. */
  readonly command: readonly string[]
}

/**
 * Returns the arguments with which bubblewrap runs a process.
 *
 * bubblewrap can change neither the user nor limits of resources. Root runs directly in the root filesystem. For
 * another user, root with groups, or limits, it starts programs of this machine that set them and change the root.
 *
 * @param mounts - Mounts in their order, at paths inside the root that exist and are no links.
 */
export function bubblewrapArgs(process: ProcessSpec, mounts: readonly ProcessMount[]): BubblewrapArgs {
  const { user, workdir, limits } = process
  const isRoot = user.uid === 0 && user.gid === 0 && user.groups.every(group => group === 0)
  const { resources = [] } = limits ?? {}
  const isDirect = isRoot && !(resources.length > 0 && canChangeRoot(process))
  const prefix = isDirect ? '' : CHANGED_ROOT
  const { args, environment } = isDirect ? process : loaderVariablesInside(process)
  const options = [
    ...isolation(process),
    ...(isDirect ? [] : systemDirectories()),
    ...['--bind', process.root, isDirect ? '/' : CHANGED_ROOT],
    ...['--proc', `${prefix}/proc`, '--dev', `${prefix}/dev`, '--mqueue', `${prefix}/dev/mqueue`],
    ...['--perms', '1777', '--size', String(SHARED_MEMORY_BYTES), '--tmpfs', `${prefix}/dev/shm`],
    ...['--ro-bind', '/sys', `${prefix}/sys`],
    ...maskedPathArgs(prefix),
    ...mounts.flatMap(mount => mountArgs(mount, prefix)),
    ...(process.readOnlyRoot ? ['--remount-ro', isDirect ? '/' : CHANGED_ROOT] : []),
    ...environment.flatMap(setVariable),
    ...['--chdir', isDirect ? workdir : '/'],
  ]
  if (isDirect) return { before: resourceWords(resources), options, command: args }
  // bubblewrap sets PWD to the directory in which it starts these programs.
  const withoutPwd = [requireSystemProgram('env', 'coreutils'), '-u', 'PWD']
  return { before: [], options, command: [...withoutPwd, ...changeUser({ ...process, args }, { root: CHANGED_ROOT })] }
}

/** Whether programs inside bubblewrap may change the root: they have the capabilities of the process. */
function canChangeRoot({ capabilities = DEFAULT_CAPABILITIES }: ProcessSpec): boolean {
  return ['CAP_SETGID', 'CAP_SYS_CHROOT'].every(name => capabilities.includes(name))
}

function isolation({ network, terminal, hostname = HOST_NAME, capabilities }: ProcessSpec): string[] {
  return [
    ...['--die-with-parent', '--clearenv', '--as-pid-1'],
    // The terminal of a process belongs to its session, which was begun with it.
    ...(terminal ? [] : ['--new-session']),
    ...['--unshare-pid', '--unshare-ipc', '--unshare-uts', '--unshare-cgroup-try', '--hostname', hostname],
    ...(network === 'none' ? ['--unshare-net'] : []),
    ...['--cap-drop', 'ALL'],
    ...(capabilities ?? DEFAULT_CAPABILITIES).flatMap(name => ['--cap-add', name]),
  ]
}

/** Hides or protects what is the same for all processes of a machine. */
function maskedPathArgs(prefix: string): string[] {
  return [
    ...HIDDEN_PATHS.filter(path => existsSync(path)).flatMap(path =>
      statSync(path).isDirectory()
        ? ['--tmpfs', prefix + path, '--remount-ro', prefix + path]
        : ['--ro-bind', '/dev/null', prefix + path],
    ),
    ...READ_ONLY_PATHS.filter(path => existsSync(path)).flatMap(path => ['--ro-bind', path, prefix + path]),
  ]
}

/**
 * SAFETY: root can leave the changed root and read what is mounted here. It is programs only, read-only: no
 * configuration and no home of this machine.
 */
function systemDirectories(): string[] {
  return SYSTEM_DIRECTORIES.flatMap(path => {
    const stats = lstatSync(path, { throwIfNoEntry: false })
    if (!stats) return []
    return stats.isSymbolicLink() ? ['--symlink', readlinkSync(path), path] : ['--ro-bind', path, path]
  })
}

function mountArgs(mount: ProcessMount, prefix: string): string[] {
  const target = prefix + mount.target
  const above = directoriesAbove(mount.target).flatMap(path => ['--perms', '0755', '--dir', prefix + path])
  if (mount.type === 'bind') return [...above, mount.readOnly ? '--ro-bind' : '--bind', mount.source, target]
  const { size, mode = NEW_FILESYSTEM_MODE } = mount
  const limit = size === undefined ? [] : ['--size', String(size)]
  return [...above, '--perms', mode.toString(8), ...limit, '--tmpfs', target]
}

/** Directories that bubblewrap would create in an earlier mount, such as `/dev`, with a mode that keeps users out. */
function directoriesAbove(target: string): string[] {
  const names = target.split('/').slice(1, -1)
  return names.map((_, i) => `/${names.slice(0, i + 1).join('/')}`)
}

function setVariable(variable: string): string[] {
  const end = variable.indexOf('=')
  return ['--setenv', variable.slice(0, end), variable.slice(end + 1)]
}
