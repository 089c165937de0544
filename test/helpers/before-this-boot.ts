import { uptime } from 'node:os'

/** A time before this machine was started, and so long ago that the process is given up on any file system. */
export function beforeThisBoot(): Date {
  return new Date(Date.now() - uptime() * 1000 - 10 * 60_000)
}
