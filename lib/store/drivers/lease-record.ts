import { isDigest } from '../../digest/index.ts'
import { createOwner, describeOwner, type Life, type Owner, parseOwner } from '../../internal/locks/owner.ts'
import type { CheckedHold } from '../leases/check-hold.ts'
import type { LeaseInfo } from '../leases/lease-store.ts'
import type { LeaseState } from './collection-driver.ts'

/** A lease as drivers store it. The time of its file or object is the last renewal. */
export interface LeaseRecord extends Pick<LeaseInfo, 'label' | 'sinceMs' | 'expiresInMs' | 'digests'> {
  /** Version of the format. */
  readonly version: 1
  /** Process that holds the lease. */
  readonly owner: Owner
}

/** Record of a new lease of this process. */
export async function createLeaseRecord(hold: CheckedHold, sinceMs: number): Promise<LeaseRecord> {
  const { label, expiresInMs, digests } = hold
  return { version: 1, owner: await createOwner(), label, sinceMs, expiresInMs, digests }
}

/** Id of a lease, unique among all processes. */
export function leaseIdOf({ owner }: LeaseRecord): string {
  return `${owner.pid}-${owner.nonce}`
}

/** Parses the record of a lease; `undefined` if it is invalid. */
export function parseLeaseRecord(bytes: Buffer): LeaseRecord | undefined {
  try {
    const lease = JSON.parse(bytes.toString('utf8')) as LeaseRecord
    const numbers = [lease.sinceMs, lease.expiresInMs]
    const sound =
      lease.version === 1 &&
      typeof lease.label === 'string' &&
      numbers.every(Number.isFinite) &&
      lease.digests.every(isDigest) &&
      parseOwner(JSON.stringify(lease.owner)) !== undefined
    return sound ? lease : undefined
  } catch {
    return undefined
  }
}

/** State of a sound lease, as collections see it. */
export function leaseStateOf(
  { label, sinceMs, expiresInMs, digests, owner }: LeaseRecord,
  { id, renewedMs, life }: { readonly id: string; readonly renewedMs: number; readonly life: Life },
): LeaseState {
  const holderLives = life === 'unknown' ? undefined : life === 'alive'
  return { id, label, sinceMs, expiresInMs, digests, renewedMs, holderLives, holder: describeOwner(owner) }
}
