import { existsSync } from 'node:fs'
import type { ProcessMount, ProcessSpec } from '../executor.ts'
import { runtimeLimits } from '../limits/resource-limits.ts'
import type { NamespaceIds } from '../process/namespace-ids.ts'
import { runtimeCalls } from '../system-calls/runtime-calls.ts'
import { DEFAULT_CAPABILITIES } from '../view/capabilities.ts'
import { NEW_FILESYSTEM_MODE, SHARED_MEMORY_BYTES } from '../view/devices.ts'
import { lockedOptions } from '../view/locked-options.ts'
import { hiddenPaths, READ_ONLY_PATHS } from '../view/masked-paths.ts'
import { HOST_NAME } from '../view/network-files.ts'
import { pseudoTerminals } from '../view/pseudo-terminals.ts'

const UMASK = 0o022
const KERNEL = ['nosuid', 'noexec', 'nodev']
const NAMESPACES = ['pid', 'ipc', 'uts', 'mount', 'cgroup']

/** Parts of a config besides the process. */
export interface RuntimeConfigOptions {
  readonly mounts: readonly ProcessMount[]
  /** Control group of the process, relative to that of the runtime. @defaultValue none of its own */
  readonly group?: string | undefined
  /** Ids of the namespace of the runtime. */
  readonly ids: NamespaceIds
}

/**
 * The `config.json` of an OCI runtime for a process. SPEC: opencontainers/runtime-spec 1.0, config.md.
 *
 * Without a control group no device is kept away by number; in a user namespace there are none but those of `/dev`.
 */
export function runtimeConfig(process: ProcessSpec, { mounts, group, ids }: RuntimeConfigOptions): object {
  const { user, limits = {}, network } = process
  const capabilities = process.capabilities ?? DEFAULT_CAPABILITIES
  return {
    ociVersion: '1.0.2',
    process: {
      terminal: process.terminal === true,
      user: { uid: user.uid, gid: user.gid, additionalGids: user.groups, umask: UMASK },
      args: process.args,
      env: process.environment,
      cwd: process.workdir,
      capabilities: { bounding: capabilities, effective: capabilities, permitted: capabilities },
      noNewPrivileges: false,
      rlimits: runtimeLimits(limits.resources ?? []),
    },
    root: { path: process.root, readonly: process.readOnlyRoot === true },
    hostname: process.hostname ?? HOST_NAME,
    mounts: [...kernelMounts(ids), ...mounts.map(mount => givenMount(mount, ids))],
    linux: {
      ...(group === undefined ? {} : { cgroupsPath: group, resources: resources(limits) }),
      namespaces: [...NAMESPACES, ...(network === 'none' ? ['network'] : [])].map(type => ({ type })),
      ...(process.systemCalls === 'all' ? {} : { seccomp: runtimeCalls(capabilities) }),
      maskedPaths: hiddenPaths(ids),
      readonlyPaths: READ_ONLY_PATHS.filter(path => existsSync(path)),
    },
  }
}

/** Every device may be made, as in Docker; only the usual ones can be used. */
const DEVICE_RULES = [
  { allow: true, type: 'c', access: 'm' },
  { allow: true, type: 'b', access: 'm' },
  ...[
    [1, 3],
    [1, 5],
    [1, 7],
    [1, 8],
    [1, 9],
    [5, 0],
    [5, 2],
  ].map(([major, minor]) => ({ allow: true, type: 'c', major, minor, access: 'rwm' })),
  { allow: true, type: 'c', major: 136, access: 'rwm' },
]

function resources({ memory, processes }: NonNullable<ProcessSpec['limits']>): object {
  return {
    ...(memory === undefined ? {} : { memory: { limit: memory, swap: memory } }),
    ...(processes === undefined ? {} : { pids: { limit: processes } }),
    devices: [{ allow: false, access: 'rwm' }, ...DEVICE_RULES],
  }
}

function kernelMounts(ids: NamespaceIds): object[] {
  const shm = ['nosuid', 'noexec', 'nodev', 'mode=1777', `size=${SHARED_MEMORY_BYTES}`]
  return [
    { destination: '/proc', type: 'proc', source: 'proc', options: KERNEL },
    { destination: '/dev', type: 'tmpfs', source: 'tmpfs', options: ['nosuid', 'strictatime', 'mode=755', 'size=64k'] },
    { destination: '/dev/pts', type: 'devpts', source: 'devpts', options: pseudoTerminals(ids) },
    { destination: '/dev/shm', type: 'tmpfs', source: 'shm', options: shm },
    { destination: '/dev/mqueue', type: 'mqueue', source: 'mqueue', options: KERNEL },
    systemFilesystem(ids),
  ]
}

/** SPEC: mount_namespaces(7): only the owner of a network namespace mounts `sysfs`; a plain user binds all of it. */
function systemFilesystem(ids: NamespaceIds): object {
  const options = [...KERNEL, 'ro']
  if (ids === 'all') return { destination: '/sys', type: 'sysfs', source: 'sysfs', options }
  return { destination: '/sys', type: 'none', source: '/sys', options: ['rbind', ...options] }
}

function givenMount(mount: ProcessMount, ids: NamespaceIds): object {
  if (mount.type === 'bind') {
    const given = mount.readOnly ? ['bind', 'ro'] : ['rbind', 'rw']
    const options = [...given, 'nodev', 'rprivate', ...lockedOptions(mount.source, ids)]
    return { destination: mount.target, type: 'bind', source: mount.source, options }
  }
  const { size, mode = NEW_FILESYSTEM_MODE } = mount
  const options = ['nosuid', 'nodev', `mode=${mode.toString(8)}`, ...(size === undefined ? [] : [`size=${size}`])]
  return { destination: mount.target, type: 'tmpfs', source: 'tmpfs', options }
}
