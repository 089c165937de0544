import type { Digest } from '../../digest/index.ts'
import { StoreError } from '../../errors/index.ts'
import { type Descriptor, isIndexType, isManifestType, parseDescriptor } from '../../oci/index.ts'
import type { CacheRecord, LeaseState, NamedDescriptor, StoredBlob } from '../../store/index.ts'
import type { Visit } from './mark-graph.ts'

/** What a name stands for. */
export function nameVisit({ name, descriptor }: NamedDescriptor): Visit {
  return imageVisit(`tag ${name}`, descriptor)
}

/** What an entry without a name stands for. */
export function entryVisit(entry: unknown): Visit {
  try {
    return imageVisit('entry of index.json', parseDescriptor(entry))
  } catch (cause) {
    // SAFETY: what it keeps is unknown; taking it for nothing would collect an image.
    const message = `index.json has an entry that is no descriptor: ${(cause as Error).message}`
    throw new StoreError('ERR_STORE_FORMAT', message, { cause })
  }
}

function imageVisit(from: string, { digest, mediaType }: Descriptor): Visit {
  const word = isIndexType(mediaType) ? 'index' : isManifestType(mediaType) ? 'manifest' : `document (${mediaType})`
  return { digest, why: `${from} → ${word}`, root: 'name', document: mediaType, named: true }
}

/** What a cache record keeps. */
export function recordVisits({ record, digests }: CacheRecord): Visit[] {
  return digests.map(digest => ({ digest, why: `cache record ${record}`, root: 'record', loose: true }))
}

/** What an ingest is about to bring. */
export function ingestVisit(digest: Digest): Visit {
  return { digest, why: 'ingest of the same digest', root: 'ingest', loose: true }
}

/** Blobs that leases name. */
export function leaseVisits(leases: readonly LeaseState[]): Visit[] {
  return leases.flatMap(({ label, digests }) =>
    digests.map((digest): Visit => ({ digest, why: `lease ${label}`, root: 'lease', loose: true })),
  )
}

/** The leases that count. */
export function activeLeases(leases: readonly LeaseState[], nowMs: number, graceMs: number): LeaseState[] {
  return leases.filter(({ holderLives, renewedMs, expiresInMs }) => {
    // A clock that jumps must not end what a living process holds.
    if (holderLives) return true
    const lasts = holderLives === false ? Math.min(graceMs, expiresInMs) : expiresInMs
    return Math.max(0, nowMs - renewedMs) <= lasts
  })
}

/** Since when blobs are protected because somebody holds a lease: `Infinity` if nobody does. */
export function protectedSince(leases: readonly LeaseState[]): number {
  return Math.min(Number.POSITIVE_INFINITY, ...leases.map(lease => lease.sinceMs))
}

/** A blob that was stored or acknowledged since a lease began. */
export function sinceVisit({ digest }: StoredBlob): Visit {
  return { digest, why: 'stored or used since a lease began', root: 'lease', loose: true }
}

/** A blob within the grace period. */
export function youngVisit({ digest }: StoredBlob): Visit {
  return { digest, why: 'stored or used within the grace period', root: 'young', loose: true }
}

/** Whether a blob is within the grace period; a time in the future counts as now. */
export function isYoung({ modifiedMs }: StoredBlob, nowMs: number, graceMs: number): boolean {
  return Math.max(0, nowMs - modifiedMs) < graceMs
}
