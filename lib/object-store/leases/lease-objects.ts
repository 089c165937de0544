import type { AbortOptions } from '../../internal/abort.ts'
import { lifeOf } from '../../internal/locks/owner.ts'
import { settleAll } from '../../internal/settle-all.ts'
import type { LeaseRecord, LeaseState } from '../../store/index.ts'
import { damagedLease, leaseStateOf, parseLeaseRecord } from '../../store/index.ts'
import type { ObjectContext } from '../object-context.ts'
import { Keys } from '../objects/keys.ts'
import { readObject, type SmallObject } from '../objects/read-object.ts'

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
  const life = await lifeOf(record.owner, facts.serverTime - facts.modified, '')
  return leaseStateOf(record, { id: idIn(facts.key), renewedMs: facts.modified, life })
}

function damaged({ facts, bytes }: SmallObject): LeaseState {
  const text = bytes?.toString('latin1') ?? ''
  return damagedLease({ id: idIn(facts.key), text, sinceMs: facts.modified - 1000, renewedMs: facts.modified })
}

function parse({ bytes }: SmallObject): LeaseRecord | undefined {
  return bytes && parseLeaseRecord(bytes)
}
