import { existsSync, statSync } from 'node:fs'

/** Files of `/proc` that say or change something of the whole machine. They are hidden, as Docker hides them. */
const HIDDEN = [
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
const READ_ONLY = ['/proc/bus', '/proc/fs', '/proc/irq', '/proc/sys', '/proc/sysrq-trigger']

/** Arguments of bubblewrap that hide or protect what is the same for all containers of a machine. */
export function maskedPathArgs(prefix: string): string[] {
  return [
    ...HIDDEN.filter(path => existsSync(path)).flatMap(path =>
      statSync(path).isDirectory()
        ? ['--tmpfs', prefix + path, '--remount-ro', prefix + path]
        : ['--ro-bind', '/dev/null', prefix + path],
    ),
    ...READ_ONLY.filter(path => existsSync(path)).flatMap(path => ['--ro-bind', path, prefix + path]),
  ]
}
