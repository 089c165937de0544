import { closeSync, constants, openSync, statSync } from 'node:fs'

/**
 * Detects how this machine can hold directories: through /proc if this process can read its own descriptors there. A
 * process that dropped root privileges may not.
 */
export function detectProcFd(): 'proc' | 'paths' {
  if (process.platform !== 'linux') return 'paths'
  const fd = openSync('/', constants.O_RDONLY | constants.O_DIRECTORY)
  try {
    statSync(`/proc/self/fd/${fd}/.`)
    return 'proc'
  } catch {
    // /proc is absent or not readable: paths are checked instead.
    return 'paths'
  } finally {
    closeSync(fd)
  }
}
