import { readFileSync, realpathSync } from 'node:fs'
import type { NamespaceIds } from '../process/namespace-ids.ts'

/** Options that a mount in a user namespace keeps. SPEC: mount_namespaces(7), "Restrictions on mount namespaces". */
const LOCKED = ['ro', 'nosuid', 'nodev', 'noexec']

/**
 * Returns the options of the mount that a path is in which no process in a user namespace can take away: the kernel
 * refuses to change a bind mount of the path to options without them. There are none for root of the machine.
 *
 * @param ids - Ids of the namespace of this process.
 * @param table - Text of `/proc/self/mountinfo`. SPEC: proc_pid_mountinfo(5).
 */
export function lockedOptions(path: string, ids: NamespaceIds, table = readMounts()): string[] {
  if (ids === 'all') return []
  const real = realpathSync(path)
  let found = { point: '', options: [] as string[] }
  for (const line of table.split('\n')) {
    const [, , , , point = '', options = ''] = line.split(' ')
    // A later mount at the same point covers an earlier one.
    if (point.length >= found.point.length && isIn(real, unescaped(point))) {
      found = { point, options: options.split(',') }
    }
  }
  return LOCKED.filter(option => found.options.includes(option))
}

function readMounts(): string {
  return readFileSync('/proc/self/mountinfo', 'utf8')
}

function isIn(path: string, point: string): boolean {
  return point === '/' || path === point || (point !== '' && path.startsWith(`${point}/`))
}

/** The kernel writes blanks in paths as octal numbers. */
function unescaped(path: string): string {
  return path.replace(/\\(\d{3})/g, (_, code: string) => String.fromCharCode(Number.parseInt(code, 8)))
}
