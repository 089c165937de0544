import { readFile } from 'node:fs/promises'
import { posix } from 'node:path'

/** Controllers of the kernel that limits need. */
export type Controller = 'memory' | 'pids'

/** Directory below which a control group can be made. */
export interface GroupDirectory {
  readonly directory: string
  /** 1 for a hierarchy of one controller, 2 for the unified one. */
  readonly version: 1 | 2
}

interface Hierarchy extends GroupDirectory {
  readonly controllers: readonly string[]
  /** Number of levels above the own group. */
  readonly above: number
}

/**
 * Resolves to the directories of the control groups that this process is in, for a controller: its own first, then
 * those above. Machines have the unified hierarchy (version 2), one for each controller (version 1), or both at once.
 *
 * SPEC: cgroups(7), proc_pid_mountinfo(5).
 */
export async function groupDirectories(
  controller: Controller,
  proc = '/proc/self',
): Promise<readonly GroupDirectory[]> {
  return (await hierarchies(proc)).filter(({ controllers }) => controllers.includes(controller))
}

/**
 * Resolves to the control groups below which an OCI runtime may create its own: those that this process is in, and in
 * the unified hierarchy the one above, since a group with processes cannot have limited groups there.
 */
export async function runtimeParents(proc = '/proc/self'): Promise<readonly string[]> {
  const near = (await hierarchies(proc)).filter(({ above, version }) => above < version)
  return near.map(({ directory }) => directory)
}

/** Own groups and those above them, nearest first, of every hierarchy. */
async function hierarchies(proc: string): Promise<Hierarchy[]> {
  const [mounts = '', groups = ''] = await Promise.all(
    ['mountinfo', 'cgroup'].map(file => readFile(posix.join(proc, file), 'utf8').catch(() => '')),
  )
  const found: Hierarchy[] = []
  for (const line of mounts.split('\n')) {
    const [before = '', after = ''] = line.split(' - ')
    const [, , , root = '/', mount = ''] = before.split(' ')
    const [type, , options = ''] = after.split(' ')
    if (type !== 'cgroup' && type !== 'cgroup2') continue
    const version = type === 'cgroup' ? 1 : 2
    const own = ownPath(groups, version === 2 ? '' : options)
    if (own === undefined) continue
    // A group outside of what is mounted here: its nearest one is the root of the mount.
    const inside = own === root || own.startsWith(root === '/' ? '/' : `${root}/`)
    const rest = inside ? posix.relative(root, own) : ''
    for (let path = rest, above = 0; ; path = path.includes('/') ? posix.dirname(path) : '', above++) {
      const directory = posix.join(unescaped(mount), path)
      const controllers = version === 1 ? options.split(',') : await controllersOf(directory)
      found.push({ directory, version, controllers, above })
      if (path === '' || path === '.') break
    }
  }
  return found.sort((a, b) => b.version - a.version)
}

/** Path of this process in a hierarchy, which is named by its controllers; the unified one has none. */
function ownPath(groups: string, options: string): string | undefined {
  for (const line of groups.split('\n')) {
    const [, names = '', path] = /^\d+:([^:]*):(.*)$/.exec(line) ?? []
    if (path === undefined) continue
    if (names === '' ? options === '' : names.split(',').every(name => options.split(',').includes(name))) return path
  }
  return undefined
}

async function controllersOf(directory: string): Promise<string[]> {
  const text = await readFile(posix.join(directory, 'cgroup.controllers'), 'utf8').catch(() => '')
  return text.trim().split(/\s+/)
}

/** The kernel writes blanks in paths as octal numbers. */
function unescaped(path: string): string {
  return path.replace(/\\(\d{3})/g, (_, code: string) => String.fromCharCode(Number.parseInt(code, 8)))
}
