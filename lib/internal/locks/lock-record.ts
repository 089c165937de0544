import { dirname } from 'node:path'
import { readRecord } from '../record-file.ts'
import { isGone, type Owner, parseOwner } from './owner.ts'

/**
 * An empty lock file counts as abandoned after this time. A power cut leaves such files. Lock files appear with their
 * content; only on a file system without hard links is one empty for a moment while it is written.
 */
const BLANK_STALE_MS = 5000
/**
 * SAFETY: limits the bytes read into memory; another program may write a larger file. A record has about a hundred
 * bytes.
 */
const BOUNDS = { limit: 64 * 1024 }

/** The entry found at the path of a lock. */
export interface SeenLock {
  readonly text: string
  readonly owner: Owner | undefined
  readonly mtimeMs: number
  /** Whether it is not a regular file. */
  readonly isOdd: boolean
}

/** Reads the entry at the path of a lock; `undefined` if there is none. */
export async function readLock(path: string): Promise<SeenLock | undefined> {
  const found = await readRecord(path, BOUNDS)
  if (found.kind === 'absent') return undefined
  if (found.kind === 'odd') return { text: found.actual, owner: undefined, mtimeMs: 0, isOdd: true }
  const { mtimeMs } = found.stats
  if (found.kind === 'foreign') return { text: found.actual, owner: undefined, mtimeMs, isOdd: false }
  const text = found.bytes.toString('utf8')
  return { text, owner: parseOwner(text), mtimeMs, isOdd: false }
}

/** Whether the holder is certainly dead. */
export async function isDead({ text, owner, isOdd }: SeenLock, silentMs: number, path: string): Promise<boolean> {
  // An entry that is not a regular file was not written by this library.
  if (isOdd) return true
  return /^\0*$/.test(text) ? silentMs > BLANK_STALE_MS : isGone(owner, silentMs, dirname(path))
}

/**
 * Measures the time since the holder's last heartbeat. SAFETY: the time of the file may lie in the future (an untrusted
 * store, a clock that was set back), and the record would never expire. So a record also ages while this process sees
 * it unchanged.
 */
export class SilenceWatch {
  #seen = ''
  #sinceMs = 0

  silentMs({ text, mtimeMs }: SeenLock, ageMs: number): number {
    const seen = `${mtimeMs} ${text}`
    if (seen !== this.#seen) {
      this.#seen = seen
      this.#sinceMs = performance.now()
    }
    return Math.max(ageMs, performance.now() - this.#sinceMs)
  }
}
