import { closeSync, constants, openSync, statSync } from 'node:fs'

/**
 * How directories can be held on this machine. Through /proc where it is there and open to this process: one that has
 * given up root by itself may not look into its own.
 */
export function detectProcFd(): 'proc' | 'paths' {
  if (process.platform !== 'linux') return 'paths'
  const fd = openSync('/', constants.O_RDONLY | constants.O_DIRECTORY)
  try {
    statSync(`/proc/self/fd/${fd}/.`)
    return 'proc'
  } catch {
    // No /proc, or not for us: paths are checked instead.
    return 'paths'
  } finally {
    closeSync(fd)
  }
}
