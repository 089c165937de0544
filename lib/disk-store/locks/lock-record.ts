import { dirname } from 'node:path'
import { readRecord } from '../places/record-file.ts'
import { isGone, type Owner, parseOwner } from './owner.ts'

/**
 * A file without content is given up after this long. It is what a power cut leaves of a lock, which appears whole; only where
 * there are no hard links is one being written for a moment.
 */
const BLANK_STALE_MS = 5000
/** SAFETY: bounds what is read into memory; a record has some hundred bytes. */
const BOUNDS = { limit: 64 * 1024 }

/** What stands in the place of a lock. */
export interface SeenLock {
  readonly text: string
  readonly owner: Owner | undefined
  readonly mtimeMs: number
  /** Whether it is no regular file. */
  readonly isOdd: boolean
}

/** What stands in the place of a lock; `undefined` if nothing does. */
export async function readLock(path: string): Promise<SeenLock | undefined> {
  const found = await readRecord(path, BOUNDS)
  if (found.kind === 'absent') return undefined
  if (found.kind === 'odd') return { text: found.actual, owner: undefined, mtimeMs: 0, isOdd: true }
  const { mtimeMs } = found.stats
  if (found.kind === 'foreign') return { text: found.actual, owner: undefined, mtimeMs, isOdd: false }
  const text = found.bytes.toString('utf8')
  return { text, owner: parseOwner(text), mtimeMs, isOdd: false }
}

/** Whether the holder is gone for certain. */
export async function isDead({ text, owner, isOdd }: SeenLock, silentMs: number, path: string): Promise<boolean> {
  // What is no regular file was never a lock of this library.
  if (isOdd) return true
  return /^\0*$/.test(text) ? silentMs > BLANK_STALE_MS : isGone(owner, silentMs, dirname(path))
}

/**
 * Measures how long a holder has given no sign of life. SAFETY: the time of the file may lie in the future (a store from
 * a stranger, a clock that was set back); then the record would never grow old. What does not change while this process
 * looks is as old as that.
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
