import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { isDigest } from '../../../digest/index.ts'
import { LimitError, StoreError } from '../../../errors/index.ts'
import { isErrno } from '../../../internal/errno.ts'
import { withDescriptor } from '../../../internal/with-descriptor.ts'
import type { LeaseState } from '../../collect/collection-driver.ts'
import type { LeaseInfo } from '../../leases/lease-store.ts'
import type { DiskContext } from '../disk-context.ts'
import { onDisk } from '../io-error.ts'
import { describeOwner, isGone, type Owner, parseOwner } from '../owner.ts'

/** What a lease file holds. Its time is the last sign of life. */
export interface LeaseFile extends Pick<LeaseInfo, 'label' | 'sinceMs' | 'expiresInMs' | 'digests'> {
  readonly version: 1
  readonly owner: Owner
}

/** SAFETY: bounds what is read into memory; a lease of 100,000 digests has 8 MB. */
const LIMIT = 64 * 1024 * 1024

/** Every lease of the store, with what is known of its holder. */
export async function readLeases(context: DiskContext): Promise<LeaseState[]> {
  const names = await onDisk({ act: 'list', path: '.layerstore/leases' }, () => leaseNames(context))
  const leases: LeaseState[] = []
  for (const name of names) {
    const lease = await readLease(context, name)
    if (lease) leases.push(lease)
  }
  return leases
}

/** The files in which leases are kept. */
export async function leaseNames({ places }: DiskContext): Promise<string[]> {
  try {
    return (await readdir(places.leases)).filter(name => name.endsWith('.json'))
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return []
    throw error
  }
}

/** One lease; `undefined` if it was released meanwhile. */
export async function readLease({ places }: DiskContext, name: string): Promise<LeaseState | undefined> {
  const path = join(places.leases, name)
  const shown = `.layerstore/leases/${name}`
  const found = await onDisk({ act: 'read', path: shown }, async () => {
    try {
      const { size, mtimeMs } = await stat(path)
      if (size > LIMIT) throw new LimitError('bytes', { limit: LIMIT, actual: size, where: shown })
      return { text: await withDescriptor(() => readFile(path, 'utf8')), mtimeMs }
    } catch (error) {
      // Released meanwhile.
      if (isErrno(error, 'ENOENT')) return undefined
      throw error
    }
  })
  return found && stateOfLease(parseLease(found.text, shown), name, found.mtimeMs)
}

async function stateOfLease(file: LeaseFile, name: string, renewedMs: number): Promise<LeaseState> {
  const { label, sinceMs, expiresInMs, digests, owner } = file
  const id = name.slice(0, -'.json'.length)
  const holderLives = await onDisk({ act: 'ask about the holder of', path: `.layerstore/leases/${name}` }, () =>
    lives(owner),
  )
  return { id, label, sinceMs, expiresInMs, digests, renewedMs, holderLives, holder: describeOwner(owner) }
}

/** Gone whatever its age: known to be dead. Not gone however old: known to live. */
async function lives(owner: Owner): Promise<boolean | undefined> {
  if (await isGone(owner, 0)) return false
  return (await isGone(owner, Number.POSITIVE_INFINITY)) ? undefined : true
}

/** SAFETY: a lease that cannot be read must not count for none. */
function parseLease(text: string, shown: string): LeaseFile {
  try {
    const lease = JSON.parse(text) as LeaseFile
    const numbers = [lease.sinceMs, lease.expiresInMs]
    const sound =
      lease.version === 1 &&
      typeof lease.label === 'string' &&
      numbers.every(Number.isFinite) &&
      lease.digests.every(isDigest) &&
      parseOwner(JSON.stringify(lease.owner)) !== undefined
    if (sound) return lease
  } catch (cause) {
    throw damaged(shown, cause)
  }
  throw damaged(shown)
}

function damaged(shown: string, cause?: unknown): StoreError {
  const message = `${shown} is damaged, and what it protects is unknown; remove it if nothing runs that could need it`
  return new StoreError('ERR_STORE_FORMAT', message, { cause })
}
