import type { Stats } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { isDigest } from '../../digest/index.ts'
import { StoreError } from '../../errors/index.ts'
import { isErrno } from '../../internal/errno.ts'
import { describeOwner, lifeOf, type Owner, parseOwner } from '../../internal/locks/owner.ts'
import { type FoundRecord, readRecord } from '../../internal/record-file.ts'
import type { LeaseInfo, LeaseState } from '../../store/index.ts'
import { damagedLease } from '../../store/index.ts'
import type { DiskContext } from '../disk-context.ts'
import { onDisk } from '../io-error.ts'

const LEASES = '.layerstore/leases'

/** Content of a lease file. Its modification time is the last renewal. */
export interface LeaseFile extends Pick<LeaseInfo, 'label' | 'sinceMs' | 'expiresInMs' | 'digests'> {
  readonly version: 1
  readonly owner: Owner
}

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
    const file = found.kind === 'file' ? parseLease(found.bytes) : undefined
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
  if (found.kind === 'absent' || (found.kind === 'file' && parseLease(found.bytes))) return
  const actual = found.kind === 'file' ? 'damaged' : `${found.actual}, and no lease`
  const effect = 'the blobs that it protects are not known for certain; remove it if no running process needs them'
  throw new StoreError('ERR_STORE_FORMAT', `${LEASES}/${name} is ${actual}: ${effect}`)
}

function findLease({ places }: DiskContext, name: string): Promise<FoundRecord> {
  return onDisk({ act: 'read', path: `${LEASES}/${name}` }, () => readRecord(join(places.leases, name), BOUNDS))
}

async function stateOfLease(
  { places }: DiskContext,
  file: LeaseFile,
  name: string,
  { mtimeMs }: Stats,
): Promise<LeaseState> {
  const { label, sinceMs, expiresInMs, digests, owner } = file
  const id = name.slice(0, -'.json'.length)
  const life = await onDisk({ act: 'ask about the holder of', path: `${LEASES}/${name}` }, () =>
    lifeOf(owner, Date.now() - mtimeMs, places.leases),
  )
  const holderLives = life === 'unknown' ? undefined : life === 'alive'
  return { id, label, sinceMs, expiresInMs, digests, renewedMs: mtimeMs, holderLives, holder: describeOwner(owner) }
}

function damaged(name: string, found: FoundRecord & { readonly stats: Stats }): LeaseState {
  const { birthtimeMs, mtimeMs: renewedMs } = found.stats
  const text = found.kind === 'file' ? found.bytes.toString('latin1') : ''
  return damagedLease({ id: name.slice(0, -'.json'.length), text, sinceMs: birthtimeMs - MARGIN_MS, renewedMs })
}

/** Parses a lease file; `undefined` if it is invalid. */
function parseLease(bytes: Buffer): LeaseFile | undefined {
  try {
    const lease = JSON.parse(bytes.toString('utf8')) as LeaseFile
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
