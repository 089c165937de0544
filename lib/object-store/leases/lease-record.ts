import { isDigest } from '../../digest/index.ts'
import type { AbortOptions } from '../../internal/abort.ts'
import { describeOwner, lifeOf, type Owner } from '../../internal/locks/owner.ts'
import { settleAll } from '../../internal/settle-all.ts'
import type { LeaseInfo, LeaseState } from '../../store/index.ts'
import { damagedLease } from '../../store/index.ts'
import type { ObjectContext } from '../object-context.ts'
import { ownerIn } from '../objects/holder.ts'
import { Keys } from '../objects/keys.ts'
import { jsonIn, readObject, type SmallObject } from '../objects/read-object.ts'

/** Content of the object of a lease. Its date is the last renewal. */
export interface LeaseRecord extends Pick<LeaseInfo, 'label' | 'sinceMs' | 'expiresInMs' | 'digests'> {
  readonly version: 1
  readonly owner: Owner
}

/** SAFETY: limits the bytes read into memory. A lease of 100,000 digests has 8 MB. */
const MOST_BYTES = 64 * 1024 * 1024
const AT_ONCE = 16

/** Key of a lease. */
export function leaseKey(id: string): string {
  return `${Keys.leases}${id}.json`
}

/** The id in the key of a lease. */
function idIn(key: string): string {
  return key.slice(Keys.leases.length, -'.json'.length)
}

/**
 * Reads every lease with the state of its holder. A damaged lease protects the digests that are still readable, and
 * every blob stored or acknowledged since it was written, for a day (rationale of maintenance, G13).
 */
export async function readLeaseObjects(context: ObjectContext, options: AbortOptions = {}): Promise<LeaseState[]> {
  const keys: string[] = []
  for await (const { key } of context.bucket.list(Keys.leases, options)) if (key.endsWith('.json')) keys.push(key)
  const leases: LeaseState[] = []
  for (let i = 0; i < keys.length; i += AT_ONCE) {
    const found = await settleAll(
      keys.slice(i, i + AT_ONCE).map(key => readObject(context.bucket, key, MOST_BYTES, options)),
    )
    for (const object of found) if (object) leases.push(await stateOf(object))
  }
  return leases
}

/** Keys of the damaged leases. */
export async function damagedLeases(context: ObjectContext, options: AbortOptions = {}): Promise<string[]> {
  const damaged: string[] = []
  for await (const { key } of context.bucket.list(Keys.leases, options)) {
    const found = await readObject(context.bucket, key, MOST_BYTES, options)
    if (found && !parse(found)) damaged.push(key)
  }
  return damaged
}

async function stateOf(object: SmallObject): Promise<LeaseState> {
  const { facts } = object
  const record = parse(object)
  if (!record) return damaged(object)
  const { label, sinceMs, expiresInMs, digests, owner } = record
  const life = await lifeOf(owner, facts.serverTime - facts.modified, '')
  const holderLives = life === 'unknown' ? undefined : life === 'alive'
  const holder = describeOwner(owner)
  return { id: idIn(facts.key), label, sinceMs, expiresInMs, digests, renewedMs: facts.modified, holderLives, holder }
}

function damaged({ facts, bytes }: SmallObject): LeaseState {
  const text = bytes?.toString('latin1') ?? ''
  return damagedLease({ id: idIn(facts.key), text, sinceMs: facts.modified - 1000, renewedMs: facts.modified })
}

function parse({ bytes }: SmallObject): LeaseRecord | undefined {
  const { version, owner, label, sinceMs, expiresInMs, digests } = jsonIn(bytes) ?? {}
  const holder = ownerIn(owner)
  const sound =
    version === 1 &&
    holder &&
    typeof label === 'string' &&
    Number.isFinite(sinceMs) &&
    Number.isFinite(expiresInMs) &&
    Array.isArray(digests) &&
    digests.every(isDigest)
  if (!sound) return undefined
  return { version, owner: holder, label, digests, sinceMs: sinceMs as number, expiresInMs: expiresInMs as number }
}
