import { existsSync, lstatSync, readlinkSync, statSync } from 'node:fs'
import type { ProcessMount, ProcessSpec } from '../executor.ts'
import { namespaceIds } from '../process/namespace-ids.ts'
import { coveringMount } from '../view/covering-mount.ts'
import { DEVICES, NEW_FILESYSTEM_MODE, SHARED_MEMORY_BYTES } from '../view/devices.ts'
import { lockedOptions } from '../view/locked-options.ts'
import { hiddenPaths, READ_ONLY_PATHS } from '../view/masked-paths.ts'
import { pseudoTerminals } from '../view/pseudo-terminals.ts'
import { SYSTEM_DIRECTORIES } from '../view/system-directories.ts'
import type { TableMount } from './mount-table.ts'

const KERNEL = ['nosuid', 'nodev', 'noexec']

/** Mounts of the small root that programs of this machine and the root filesystem of a process are in. */
export function outerMounts(top: string, process: ProcessSpec): TableMount[] {
  const root = `${top}/mnt`
  return [
    ...systemDirectories().map(path => bound(path, top + path, ['bind', 'ro'])),
    bound(process.root, root, ['bind', ...(process.readOnlyRoot ? ['ro'] : [])]),
    { source: 'proc', target: `${top}/proc`, type: 'proc', options: KERNEL },
    { source: 'proc', target: `${root}/proc`, type: 'proc', options: KERNEL },
    { ...systemFilesystem(), target: `${root}/sys` },
    { source: 'tmpfs', target: `${root}/dev`, type: 'tmpfs', options: ['nosuid', 'nodev', 'mode=755', 'size=64k'] },
  ]
}

/** SPEC: mount_namespaces(7): only the owner of a network namespace mounts `sysfs`; a plain user binds all of it. */
function systemFilesystem(): Pick<TableMount, 'source' | 'type' | 'options'> {
  const isOwner = namespaceIds() === 'all'
  if (isOwner) return { source: 'sysfs', type: 'sysfs', options: [...KERNEL, 'ro'] }
  return { source: '/sys', options: ['rbind', 'ro', ...KERNEL] }
}

/** Directories of the small root, as this machine has them. */
export function systemDirectories(): string[] {
  return SYSTEM_DIRECTORIES.filter(path => lstatSync(path, { throwIfNoEntry: false })?.isDirectory())
}

/** Links of the small root, as this machine has them. */
export function systemLinks(): { readonly path: string; readonly to: string }[] {
  return SYSTEM_DIRECTORIES.filter(path => lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink()).map(path => ({
    path,
    to: readlinkSync(path),
  }))
}

/** Mounts inside the root filesystem of a process, once `/dev` has its mount points. */
export function innerMounts(root: string, mounts: readonly ProcessMount[]): TableMount[] {
  return [
    ...DEVICES.map(name => ({ source: `/dev/${name}`, target: `${root}/dev/${name}`, options: ['bind'] })),
    { source: 'devpts', target: `${root}/dev/pts`, type: 'devpts', options: pseudoTerminals(namespaceIds()) },
    { source: 'mqueue', target: `${root}/dev/mqueue`, type: 'mqueue', options: KERNEL },
    { source: 'shm', target: `${root}/dev/shm`, type: 'tmpfs', options: [...KERNEL, `size=${SHARED_MEMORY_BYTES}`] },
    ...READ_ONLY_PATHS.filter(path => existsSync(path)).map(path => protectedPath(root + path)),
    ...hiddenPaths(namespaceIds()).map(path => hidden(root, path)),
    ...mounts.filter(mount => !isHidden(mount, mounts)).map(mount => given(root, mount)),
  ]
}

/** A mount whose mount point is in a filesystem that is new, so that no link of others is there. */
export interface LateMount extends TableMount {
  /** Directories of the new filesystem that the mount point is in, uppermost first. */
  readonly above: readonly string[]
  readonly isFile: boolean
}

/** Mounts below `/dev` or an earlier mount, in order: what these hide has no mount points. */
export function lateMounts(root: string, mounts: readonly ProcessMount[]): LateMount[] {
  return mounts
    .filter(mount => isHidden(mount, mounts))
    .map(mount => {
      const cover = coverOf(mount, mounts)
      const isFile = mount.type === 'bind' && !statSync(mount.source).isDirectory()
      // In the files of another mount the mount point exists, behind no link.
      return {
        ...given(root, mount),
        above: cover?.type === 'bind' ? [] : directoriesBetween(root, mount, cover),
        isFile,
      }
    })
}

function directoriesBetween(root: string, { target }: ProcessMount, cover: ProcessMount | undefined): string[] {
  const top = cover?.target ?? '/dev'
  const names = target
    .slice(top.length + 1)
    .split('/')
    .slice(0, -1)
  return names.map((_, i) => `${root}${top}/${names.slice(0, i + 1).join('/')}`)
}

function isHidden(mount: ProcessMount, mounts: readonly ProcessMount[]): boolean {
  return mount.target.startsWith('/dev/') || coverOf(mount, mounts) !== undefined
}

function coverOf(mount: ProcessMount, mounts: readonly ProcessMount[]): ProcessMount | undefined {
  return coveringMount(mount.target, mounts.slice(0, mounts.indexOf(mount)))
}

function protectedPath(path: string): TableMount {
  return { source: path, target: path, options: ['bind', 'ro', ...KERNEL] }
}

/** `mount --all` leaves out what has the source and target of a mount that is there, as on `/sys/fs/cgroup`. */
function hidden(root: string, path: string): TableMount {
  const target = root + path
  return statSync(path).isDirectory()
    ? { source: 'hidden', target, type: 'tmpfs', options: [...KERNEL, 'ro', 'size=4k'] }
    : { source: '/dev/null', target, options: ['bind'] }
}

function bound(source: string, target: string, options: readonly string[]): TableMount {
  return { source, target, options: [...options, 'nodev', ...lockedOptions(source, namespaceIds())] }
}

function given(root: string, mount: ProcessMount): TableMount {
  const target = root + mount.target
  if (mount.type === 'bind') {
    return bound(mount.source, target, mount.readOnly ? ['bind', 'ro'] : ['rbind'])
  }
  const { size, mode = NEW_FILESYSTEM_MODE } = mount
  const limit = size === undefined ? [] : [`size=${size}`]
  return { source: 'tmpfs', target, type: 'tmpfs', options: ['nosuid', 'nodev', `mode=${mode.toString(8)}`, ...limit] }
}
