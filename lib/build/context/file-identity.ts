import type { BigIntStats } from 'node:fs'

/**
 * Text that is equal as long as a file on disk is unchanged: device, inode, size, and both times in nanoseconds.
 *
 * SAFETY: size and modification time alone do not notice an edit that keeps the size and restores the time. Every
 * change sets the change time (`ctime`), which no program can set back, and a replaced file has another inode.
 */
export function identityOf({ dev, ino, size, mtimeNs, ctimeNs }: BigIntStats): string {
  // PERF: a joined text is flat; a template keeps nine strings for each of tens of thousands of files.
  return [dev, ino, size, mtimeNs, ctimeNs].join(':')
}

const SECOND = 1_000_000_000n
/** Longest time between two ticks of the clock of a local file system, and twice that of one that keeps seconds. */
const FINE_MARGIN = SECOND / 10n
const COARSE_MARGIN = 2n * SECOND

/**
 * True if a later change to a file would change its identity. The change time moves in ticks: a file that was changed
 * just before it was read may be changed again in the same tick.
 *
 * @param identity - Identity of the file, whose last part is the change time.
 * @param readAt - Time at which the read began, in nanoseconds since 1970.
 */
export function isSettled(identity: string, readAt: bigint): boolean {
  const ctimeNs = BigInt(identity.slice(identity.lastIndexOf(':') + 1))
  const margin = ctimeNs % SECOND === 0n ? COARSE_MARGIN : FINE_MARGIN
  return readAt - ctimeNs > margin
}
