import { lifeOf, type Owner, parseOwner } from '../../internal/locks/owner.ts'
import type { ObjectFacts } from '../s3/bucket.ts'

/** Silence after which the record of a holder counts as left behind, in milliseconds. */
export interface Patience {
  /** For a process of this machine that is known to have ended. */
  readonly goneMs: number
  /** For any process that cannot be seen from here. */
  readonly unknownMs: number
  /** For a process that lives, or is merely stopped. */
  readonly aliveMs: number
}

/**
 * Whether a holder no longer renews its record. The silence is the difference of two dates of the service, so no clock
 * of a machine takes part.
 */
export async function isAbandoned(
  owner: Owner | undefined,
  { serverTime, modified }: Pick<ObjectFacts, 'serverTime' | 'modified'>,
  patience: Patience,
): Promise<boolean> {
  const silentMs = serverTime - modified
  if (!owner) return silentMs > patience.unknownMs
  // There is no directory whose file system could tell more about a process of another boot.
  const life = await lifeOf(owner, silentMs, '')
  const limits = { gone: patience.goneMs, unknown: patience.unknownMs, alive: patience.aliveMs }
  return silentMs >= limits[life]
}

/** The owner in a parsed record; `undefined` if it is invalid. */
export function ownerIn(value: unknown): Owner | undefined {
  return typeof value === 'object' && value !== null ? parseOwner(JSON.stringify(value)) : undefined
}
