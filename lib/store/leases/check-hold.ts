import { type Digest, parseDigest } from '../../digest/index.ts'
import { FormatError } from '../../errors/index.ts'
import type { HoldOptions } from './lease-store.ts'

const DAY_MS = 24 * 3_600_000

/** Checked options of a lease. */
export interface CheckedHold {
  /** Purpose of the lease. */
  readonly label: string
  /** Digests that the lease protects. */
  readonly digests: readonly Digest[]
  /** Lifetime in milliseconds. */
  readonly expiresInMs: number
}

/**
 * Checks the options of a lease and fills in the defaults.
 *
 * @throws {@link FormatError} `ERR_INVALID_ARGUMENT`.
 */
export function checkHold(options: HoldOptions): CheckedHold {
  const { label = 'unnamed', expiresInMs = DAY_MS } = options
  if (typeof label !== 'string' || label.length === 0 || label.length > 200) {
    throw new FormatError('ERR_INVALID_ARGUMENT', 'the label of a lease must be a text of 1 to 200 characters')
  }
  if (!(expiresInMs >= 60_000 && expiresInMs <= 30 * DAY_MS)) {
    throw new FormatError('ERR_INVALID_ARGUMENT', 'expiresInMs of a lease must be from a minute to 30 days')
  }
  const digests = [...new Set(options.digests ?? [])]
  for (const digest of digests) parseDigest(digest)
  return { label, expiresInMs, digests }
}
