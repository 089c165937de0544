import { existsSync } from 'node:fs'
import type { NamespaceIds } from '../process/namespace-ids.ts'

/** Files of `/proc` that say or change something of the whole machine. They are hidden, as Docker hides them. */
export const HIDDEN_PATHS = [
  '/proc/acpi',
  '/proc/asound',
  '/proc/interrupts',
  '/proc/kcore',
  '/proc/keys',
  '/proc/latency_stats',
  '/proc/sched_debug',
  '/proc/scsi',
  '/proc/timer_list',
  '/proc/timer_stats',
  '/sys/devices/virtual/powercap',
  '/sys/firmware',
]
/** Paths of `/proc` that a process may read only. */
export const READ_ONLY_PATHS = ['/proc/bus', '/proc/fs', '/proc/irq', '/proc/sys', '/proc/sysrq-trigger']

/**
 * Returns the paths of this machine that are hidden where all of `/sys` is bound, as in a user namespace.
 *
 * SAFETY: such a mount is read-only without those below it. A user may own control groups; a process that writes there
 * could stop other processes of the user.
 */
export function hiddenPaths(ids: NamespaceIds): string[] {
  return [...HIDDEN_PATHS, ...(ids === 'all' ? [] : ['/sys/fs/cgroup'])].filter(path => existsSync(path))
}
