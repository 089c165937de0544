import type { UnionView, ViewEntry } from '../../rootfs/index.ts'

/** A file of the newest release, and the updates in which it changed. */
export interface TrackedFile {
  readonly path: string
  readonly bytes: number
  /** Bit i is set if the file was new or changed in update i. */
  readonly changes: number
}

/** Changes of one update. */
export interface UpdateChanges {
  files: number
  bytes: number
  onlyTimes: number
  onlyTimesBytes: number
}

interface State {
  readonly identity: string
  readonly mtime: number
  readonly changes: number
}

/**
 * Follows files from release to release. A file is changed if its content, kind, mode or owner is another one; its time
 * alone does not count, because a builder can fix it.
 */
export class FileTracker {
  readonly updates: UpdateChanges[] = []
  #files = new Map<string, State>()
  #releases = 0

  /** Adds the next release; `isShared` tells layers that need no advice. */
  add(view: UnionView, isShared: (layer: number) => boolean): readonly TrackedFile[] {
    const update = this.#releases++ - 1
    const changes: UpdateChanges = { files: 0, bytes: 0, onlyTimes: 0, onlyTimesBytes: 0 }
    const next = new Map<string, State>()
    const tracked: TrackedFile[] = []
    for (const entry of view.walk()) {
      if (entry.type === 'directory' || isShared(entry.layer)) continue
      const state = this.#stateOf(entry, update, changes)
      next.set(entry.path, state)
      tracked.push({ path: entry.path, bytes: entry.size, changes: state.changes })
    }
    this.#files = next
    if (update >= 0) this.updates.push(changes)
    return tracked
  }

  #stateOf(entry: ViewEntry, update: number, sums: UpdateChanges): State {
    const { path, size, mtime } = entry
    const identity = identityOf(entry)
    const before = this.#files.get(path)
    if (update < 0) return { identity, mtime, changes: 0 }
    if (before?.identity === identity) {
      if (before.mtime !== mtime) {
        sums.onlyTimes++
        sums.onlyTimesBytes += size
      }
      return { identity, mtime, changes: before.changes }
    }
    sums.files++
    sums.bytes += size
    return { identity, mtime, changes: (before?.changes ?? 0) | (1 << update) }
  }
}

function identityOf({ type, mode, uid, gid, size, digest, storedDigest, linkname }: ViewEntry): string {
  return `${type} ${mode} ${uid} ${gid} ${size} ${digest ?? storedDigest ?? ''} ${linkname ?? ''}`
}
