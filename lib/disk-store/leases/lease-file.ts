import type { Stats } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { StoreError } from '../../errors/index.ts'
import { isErrno } from '../../internal/errno.ts'
import { lifeOf } from '../../internal/locks/owner.ts'
import { type FoundRecord, readRecord } from '../../internal/record-file.ts'
import type { LeaseRecord, LeaseState } from '../../store/index.ts'
import { damagedLease, leaseStateOf, parseLeaseRecord } from '../../store/index.ts'
import type { DiskContext } from '../disk-context.ts'
import { onDisk } from '../io-error.ts'

const LEASES = '.layerstore/leases'

/**
 * SAFETY: limits the bytes read into memory; another program may write a larger file. A lease of 100,000 digests has 8
 * MB.
 */
const BOUNDS = { limit: 64 * 1024 * 1024, begins: /^\{/ }
/** Tolerance for clocks that are set back a little. */
const MARGIN_MS = 1000

/**
 * Reads every lease of the store, with the state of its holder.
 *
 * A damaged lease still protects blobs, see {@link damagedLease}. An entry that is not a regular file was not written
 * by this library and protects nothing.
 */
export async function readLeases(context: DiskContext): Promise<LeaseState[]> {
  const names = await onDisk({ act: 'list', path: LEASES }, () => leaseNames(context))
  const leases: LeaseState[] = []
  for (const name of names) {
    const found = await findLease(context, name)
    if (found.kind === 'absent' || found.kind === 'odd') continue
    const file = found.kind === 'file' ? parseLeaseRecord(found.bytes) : undefined
    leases.push(file ? await stateOfLease(context, file, name, found.stats) : damaged(name, found))
  }
  return leases
}

/** Names of the lease files. */
export async function leaseNames({ places }: DiskContext): Promise<string[]> {
  try {
    return (await readdir(places.leases)).filter(name => name.endsWith('.json'))
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return []
    throw error
  }
}

/**
 * Throws if a lease is damaged; a lease that was released meanwhile is accepted.
 *
 * @throws {@link StoreError} `ERR_STORE_FORMAT`.
 */
export async function proveLease(context: DiskContext, name: string): Promise<void> {
  const found = await findLease(context, name)
  if (found.kind === 'absent' || (found.kind === 'file' && parseLeaseRecord(found.bytes))) return
  const actual = found.kind === 'file' ? 'damaged' : `${found.actual}, and no lease`
  const effect = 'the blobs that it protects are not known for certain; remove it if no running process needs them'
  throw new StoreError('ERR_STORE_FORMAT', `${LEASES}/${name} is ${actual}: ${effect}`)
}

function findLease({ places }: DiskContext, name: string): Promise<FoundRecord> {
  return onDisk({ act: 'read', path: `${LEASES}/${name}` }, () => readRecord(join(places.leases, name), BOUNDS))
}

async function stateOfLease(
  { places }: DiskContext,
  lease: LeaseRecord,
  name: string,
  { mtimeMs }: Stats,
): Promise<LeaseState> {
  const life = await onDisk({ act: 'ask about the holder of', path: `${LEASES}/${name}` }, () =>
    lifeOf(lease.owner, Date.now() - mtimeMs, places.leases),
  )
  return leaseStateOf(lease, { id: idIn(name), renewedMs: mtimeMs, life })
}

function idIn(name: string): string {
  return name.slice(0, -'.json'.length)
}

function damaged(name: string, found: FoundRecord & { readonly stats: Stats }): LeaseState {
  const { birthtimeMs, mtimeMs: renewedMs } = found.stats
  const text = found.kind === 'file' ? found.bytes.toString('latin1') : ''
  return damagedLease({ id: idIn(name), text, sinceMs: birthtimeMs - MARGIN_MS, renewedMs })
}
