import { readFileSync } from 'node:fs'

/** Ids that files of this process can have: all of the machine, a range of a user namespace, or one. */
export type NamespaceIds = 'all' | 'range' | 'one'

const ALL = 2 ** 32 - 1

/**
 * Returns which ids the user namespace of this process has. In one that has no range, files of an image belong to one
 * user, and in none can devices be created, so some calls must not be tried.
 */
export function namespaceIds(map = readIdMap()): NamespaceIds {
  const counts = map.split('\n').map(line => Number(line.trim().split(/\s+/)[2] ?? 0))
  const total = counts.reduce((sum, count) => sum + count, 0)
  // A machine without user namespaces, or a map that cannot be read, counts as the machine itself.
  if (total === 0 || total >= ALL) return 'all'
  return total === 1 ? 'one' : 'range'
}

/** Returns whether this process is root of the machine. Root of a user namespace is another user for the kernel. */
export function isRootOfMachine(): boolean {
  return process.getuid?.() === 0 && namespaceIds() === 'all'
}

function readIdMap(): string {
  try {
    return readFileSync('/proc/self/uid_map', 'utf8')
  } catch {
    return ''
  }
}
