/** Devices of this machine that a process sees in `/dev`. */
export const DEVICES = ['full', 'null', 'random', 'tty', 'urandom', 'zero'] as const

/** Links in `/dev`. */
export const DEVICE_LINKS = [
  ['core', '/proc/kcore'],
  ['fd', '/proc/self/fd'],
  ['ptmx', 'pts/ptmx'],
  ['stderr', '/proc/self/fd/2'],
  ['stdin', '/proc/self/fd/0'],
  ['stdout', '/proc/self/fd/1'],
] as const

/** Size of `/dev/shm`, as in the reference. */
export const SHARED_MEMORY_BYTES = 65_536 * 1024

/** Mode of a new filesystem, as in the reference. */
export const NEW_FILESYSTEM_MODE = 0o1777
