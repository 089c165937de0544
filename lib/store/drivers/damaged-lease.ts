import { isDigest } from '../../digest/index.ts'
import { describeOwner } from '../../internal/locks/owner.ts'
import type { LeaseState } from './collection-driver.ts'

/** Lifetime of an unreadable lease after its last renewal. */
const EXPIRES_MS = 24 * 3_600_000
const SINCE = /"sinceMs":(\d{1,16})\b/
const DIGESTS = /\b[a-z0-9]+:[0-9a-f]{64,128}\b/g

/** The readable rest of a damaged lease. */
export interface FoundLease {
  /** Id in its name. */
  readonly id: string
  /** Its text, as far as it could be read. */
  readonly text: string
  /** Latest possible start, in milliseconds since 1970. */
  readonly sinceMs: number
  /** Time of the last renewal, in milliseconds since 1970. */
  readonly renewedMs: number
}

/**
 * State of a damaged lease, as collections see it.
 *
 * SAFETY: a damaged lease that counted for nothing would let a collection remove blobs in use; one that stopped every
 * collection would fill the store. So it protects the digests that are still readable, and every blob stored or
 * acknowledged since its start, for a day after its last renewal.
 */
export function damagedLease({ id, text, sinceMs, renewedMs }: FoundLease): LeaseState {
  return {
    id,
    label: 'damaged lease',
    holder: describeOwner(undefined),
    holderLives: undefined,
    sinceMs: Math.min(sinceMs, Number(SINCE.exec(text)?.[1] ?? Number.POSITIVE_INFINITY)),
    renewedMs,
    expiresInMs: EXPIRES_MS,
    digests: [...new Set(text.match(DIGESTS))].filter(isDigest),
  }
}
