import type { TrackedFile } from './track-files.ts'

/** Files that share one layer. */
export interface FileGroup {
  /** The files. */
  readonly files: readonly TrackedFile[]
  /** Bytes of the files. */
  readonly bytes: number
  /** Bit i is set if at least one of the files changed in update i. */
  readonly changes: number
}

/**
 * Groups files by the updates in which they changed, then merges groups until at most `most` remain, each time the two
 * whose union costs least: a layer is sent whole in every update in which one of its files changed.
 */
export function mergeGroups(files: readonly TrackedFile[], most: number): FileGroup[] {
  const byChanges = new Map<number, TrackedFile[]>()
  for (const file of files) {
    const group = byChanges.get(file.changes)
    if (group) group.push(file)
    else byChanges.set(file.changes, [file])
  }
  const groups = [...byChanges].map(([changes, all]) => ({ files: all, bytes: bytesOf(all), changes }))
  while (groups.length > most) {
    const [one, other] = cheapestPair(groups)
    const merged = {
      files: [...groups[one]!.files, ...groups[other]!.files],
      bytes: groups[one]!.bytes + groups[other]!.bytes,
      changes: groups[one]!.changes | groups[other]!.changes,
    }
    groups.splice(other, 1)
    groups.splice(one, 1, merged)
  }
  return groups.sort((a, b) => countBits(a.changes) - countBits(b.changes) || b.bytes - a.bytes)
}

function cheapestPair(groups: readonly FileGroup[]): [number, number] {
  let best: [number, number] = [0, 1]
  let least = Number.POSITIVE_INFINITY
  for (const [i, one] of groups.entries()) {
    for (const [j, other] of groups.entries()) {
      if (j <= i) continue
      const merged = (one.bytes + other.bytes) * countBits(one.changes | other.changes)
      const more = merged - one.bytes * countBits(one.changes) - other.bytes * countBits(other.changes)
      if (more < least) [best, least] = [[i, j], more]
    }
  }
  return best
}

/** Number of updates in a set of changes. */
export function countBits(changes: number): number {
  let count = 0
  for (let rest = changes >>> 0; rest > 0; rest >>>= 1) count += rest & 1
  return count
}

function bytesOf(files: readonly TrackedFile[]): number {
  return files.reduce((sum, { bytes }) => sum + bytes, 0)
}
