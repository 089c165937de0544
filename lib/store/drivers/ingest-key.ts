import { FormatError, StoreError } from '../../errors/index.ts'
import type { KeyedMutex, Release } from '../../internal/concurrency/keyed-mutex.ts'
import type { IngestOptions } from '../blob-store.ts'

/**
 * Acquires the key of an ingest in this process. Rejects with `ERR_INGEST_BUSY` if it is held, unless the caller waits.
 */
export async function acquireIngestKey(
  mutex: KeyedMutex,
  key: string,
  { wait = false, signal }: IngestOptions,
): Promise<Release> {
  if (wait) return mutex.acquire(key, signal)
  const release = mutex.tryAcquire(key)
  if (!release) throw ingestBusy(key, 'this process')
  return release
}

/** The error for a key that another writer holds. */
export function ingestBusy(key: string, holder: string): StoreError {
  return new StoreError('ERR_INGEST_BUSY', `another writer of ${JSON.stringify(key)} is open, in ${holder}`)
}

/**
 * SAFETY: an unbounded key would use unbounded memory; the length is checked before the key is hashed, stored or
 * printed.
 */
export function checkIngestKey(key: string): void {
  if (typeof key === 'string' && key.length > 0 && key.length <= 512) return
  throw new FormatError('ERR_INVALID_ARGUMENT', 'the key of an ingest must be a text of 1 to 512 characters')
}
