import type { Digest } from '../../digest/index.ts'
import { isDigest } from '../../digest/index.ts'
import type { Store } from '../../store/index.ts'

/** How far a check that was broken off had come: blobs are read in the order of their digests. */
export interface CheckProgressRecord {
  readonly version: 1
  /** Every blob up to this one was read. */
  readonly after: Digest
  readonly blobs: number
  readonly bytes: number
  /** Of those that were read, the ones that were not right: they are read again. */
  readonly damaged: readonly Digest[]
  readonly savedMs: number
}

const KEY = 'check-progress'
/** What was right a week ago may have rotted since. */
const KEPT_MS = 7 * 24 * 3_600_000

/** What an earlier check left, if it can be gone on with. */
export async function loadProgress(store: Store): Promise<CheckProgressRecord | undefined> {
  const bytes = await store.derived.get('facts', KEY)
  const record = bytes && parseRecord(bytes)
  const age = record ? Date.now() - record.savedMs : 0
  return age >= 0 && age < KEPT_MS ? record : undefined
}

/** Leaves word for a later check. Best effort: without it that one begins at the beginning. */
export async function saveProgress(store: Store, record: CheckProgressRecord): Promise<void> {
  await store.derived.set('facts', KEY, Buffer.from(JSON.stringify(record))).catch(() => undefined)
}

/** Called when a check came to its end. */
export async function forgetProgress(store: Store): Promise<void> {
  await store.derived.delete('facts', KEY).catch(() => undefined)
}

function parseRecord(bytes: Uint8Array): CheckProgressRecord | undefined {
  try {
    const record = JSON.parse(Buffer.from(bytes).toString('utf8')) as CheckProgressRecord
    const counts = [record.blobs, record.bytes, record.savedMs]
    const sound =
      record.version === 1 &&
      isDigest(record.after) &&
      counts.every(count => Number.isSafeInteger(count) && count >= 0) &&
      record.damaged.every(digest => isDigest(digest))
    return sound ? record : undefined
  } catch {
    return undefined
  }
}
