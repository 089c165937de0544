import { FormatError } from '../../errors/index.ts'
import type { AbortOptions } from '../../internal/abort.ts'

/** Limits on directories of derived data. Without limits all of them stay. */
export interface KeepingPolicy extends AbortOptions {
  /** Maximum age in milliseconds: what was not used for longer is removed. */
  readonly maxAgeMs?: number | undefined
  /** Size limit in bytes: the least recently used ones are removed until the rest fits. What is in use stays. */
  readonly maxBytes?: number | undefined
  /**
   * Removes a directory and all in it. Files of a plain user's sandbox may belong to ids that only `remove` of that
   * sandbox can remove. @defaultValue the calls of this process
   */
  remove?(path: string): Promise<void>
  /** Decide, and remove nothing. @defaultValue `false` */
  readonly dryRun?: boolean | undefined
}

/** A directory of derived data: an unpacked layer, or a cache mount. */
export interface KeptDirectory {
  /** Name of the directory: the beginning of a chain id, or of the digest of the id of a cache mount. */
  readonly name: string
  /** Text for people: the diffID of the layer, or the id of the cache mount. */
  readonly about: string
  /** Space on the disk, in bytes. */
  readonly bytes: number
  /** Time of the last use, in milliseconds since 1970. */
  readonly usedMs: number
  /** True if a running process uses it. It is then never removed. */
  readonly inUse: boolean
}

/** A directory that a collection removed, or would remove. */
export interface DroppedDirectory extends KeptDirectory {
  /** Human-readable reason. */
  readonly why: string
}

/** Result of a collection of directories. */
export interface KeepingResult {
  /** The removed directories, the least recently used first. */
  readonly dropped: readonly DroppedDirectory[]
  /** The directories that stay, the most recently used first. */
  readonly kept: readonly KeptDirectory[]
  /** Total size of the removed directories, in bytes. */
  readonly bytesFreed: number
}

/** Chooses what a policy removes, the least recently used first. What is in use stays, but counts. */
export function chooseToDrop(
  found: readonly KeptDirectory[],
  { maxAgeMs, maxBytes }: KeepingPolicy,
  nowMs = Date.now(),
): DroppedDirectory[] {
  check('maxAgeMs', maxAgeMs)
  check('maxBytes', maxBytes)
  let total = found.reduce((sum, { bytes }) => sum + bytes, 0)
  const dropped: DroppedDirectory[] = []
  for (const one of [...found].sort((a, b) => a.usedMs - b.usedMs)) {
    if (one.inUse) continue
    const isOld = maxAgeMs !== undefined && nowMs - one.usedMs > maxAgeMs
    const isTooMuch = maxBytes !== undefined && total > maxBytes
    if (!isOld && !isTooMuch) continue
    const why = isOld ? `not used for longer than ${Math.round(maxAgeMs / 60_000)} minutes` : 'over the size limit'
    dropped.push({ ...one, why })
    total -= one.bytes
  }
  return dropped
}

function check(name: string, value: number | undefined): void {
  if (value === undefined || value >= 0) return
  throw new FormatError('ERR_INVALID_ARGUMENT', `${name} must be a number from 0, not ${value}`)
}

/** The result of a collection that removed what was dropped. */
export function keepingResult(found: readonly KeptDirectory[], dropped: readonly DroppedDirectory[]): KeepingResult {
  const gone = new Set(dropped.map(({ name }) => name))
  const kept = found.filter(({ name }) => !gone.has(name)).sort((a, b) => b.usedMs - a.usedMs)
  return { dropped, kept, bytesFreed: dropped.reduce((sum, { bytes }) => sum + bytes, 0) }
}
