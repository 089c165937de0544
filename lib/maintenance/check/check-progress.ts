import type { Digest } from '../../digest/index.ts'
import { isDigest } from '../../digest/index.ts'
import type { Store } from '../../store/index.ts'

/** Progress of an aborted check. Blobs are read in the order of their digests. */
export interface CheckProgressRecord {
  readonly version: 1
  /** Every blob up to this digest was read. */
  readonly after: Digest
  readonly blobs: number
  readonly bytes: number
  /** Damaged blobs among those read; the resumed check reads them again. */
  readonly damaged: readonly Digest[]
  readonly savedMs: number
}

const KEY = 'check-progress'
/** Lifetime of the record: a blob that was intact a week ago may be damaged now. */
const KEPT_MS = 7 * 24 * 3_600_000

/** Loads the progress of an earlier check, if it can be resumed. */
export async function loadProgress(store: Store): Promise<CheckProgressRecord | undefined> {
  const bytes = await store.derived.get('facts', KEY)
  const record = bytes && parseRecord(bytes)
  const age = record ? Date.now() - record.savedMs : 0
  return age >= 0 && age < KEPT_MS ? record : undefined
}

/** Saves the progress for a later check. Best effort: without the record the next check starts at the beginning. */
export async function saveProgress(store: Store, record: CheckProgressRecord): Promise<void> {
  await store.derived.set('facts', KEY, Buffer.from(JSON.stringify(record))).catch(() => undefined)
}

/** Deletes the record after a check has completed. */
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
