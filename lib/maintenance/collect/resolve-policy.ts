import { FormatError } from '../../errors/index.ts'
import type { CollectionPolicy, ResolvedPolicy } from './collection-plan.ts'

const GRACE_MS = 3_600_000
const SHORTEST_GRACE_MS = 600_000

/** Fills in the defaults of a policy and refuses invalid values. */
export function resolvePolicy(policy: CollectionPolicy): ResolvedPolicy {
  const { keepLast, maxAgeMs, maxBytes, graceMs = GRACE_MS, unknown = 'refuse', force = false } = policy
  check('keepLast', keepLast, keepLast => Number.isSafeInteger(keepLast) && keepLast >= 1, 'a whole number from 1')
  check('maxAgeMs', maxAgeMs, maxAgeMs => maxAgeMs > 0, 'a time in milliseconds')
  check('maxBytes', maxBytes, maxBytes => Number.isSafeInteger(maxBytes) && maxBytes >= 0, 'a whole number of bytes')
  check('graceMs', graceMs, graceMs => graceMs >= 0, 'a time in milliseconds')
  if (unknown !== 'refuse' && unknown !== 'keep') fail('unknown', unknown, 'refuse or keep')
  if (!force && graceMs < SHORTEST_GRACE_MS) {
    // SAFETY: between storing a blob and naming it an operation needs time. A blob without a lease has only the grace
    // period to protect it; a shorter one would let a collection remove it.
    throw new FormatError('ERR_INVALID_ARGUMENT', 'a grace period under ten minutes needs force')
  }
  return {
    ...(keepLast === undefined ? {} : { keepLast }),
    ...(maxAgeMs === undefined ? {} : { maxAgeMs }),
    ...(maxBytes === undefined ? {} : { maxBytes }),
    graceMs,
    unknown,
    force,
  }
}

function check(name: string, value: number | undefined, isFine: (value: number) => boolean, wanted: string): void {
  if (value !== undefined && !(Number.isFinite(value) && isFine(value))) fail(name, value, wanted)
}

function fail(name: string, value: unknown, wanted: string): never {
  throw new FormatError(
    'ERR_INVALID_ARGUMENT',
    `${name} of a collection must be ${wanted}, is ${JSON.stringify(value)}`,
  )
}
