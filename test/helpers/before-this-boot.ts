import { uptime } from 'node:os'

/** A time before this machine booted, old enough that a holder counts as dead on any file system. */
export function beforeThisBoot(): Date {
  return new Date(Date.now() - uptime() * 1000 - 10 * 60_000)
}
