import type { Digest } from '../../digest/index.ts'
import { StoreError } from '../../errors/index.ts'
import { type Descriptor, isIndexType, isManifestType, parseDescriptor, remoteLayersOf } from '../../oci/index.ts'
import type { CacheRecord, ContainerRoot, LeaseState, NamedDescriptor, StoredBlob } from '../../store/index.ts'
import type { RootKind, Visit } from './mark-graph.ts'

/** The target of a name as the start of a walk. */
export function nameVisit({ name, descriptor }: NamedDescriptor): Visit {
  return imageVisit(`tag ${name}`, descriptor)
}

/** The target of an entry without a name as the start of a walk. */
export function entryVisit(entry: unknown): Visit {
  try {
    return imageVisit('entry of index.json', parseDescriptor(entry))
  } catch (cause) {
    // SAFETY: an invalid entry may refer to an image; ignoring the entry would let the collection remove that image.
    const message = `index.json has an entry that is no descriptor: ${(cause as Error).message}`
    throw new StoreError('ERR_STORE_FORMAT', message, { cause })
  }
}

function imageVisit(from: string, descriptor: Descriptor): Visit {
  const { digest, mediaType } = descriptor
  const word = isIndexType(mediaType) ? 'index' : isManifestType(mediaType) ? 'manifest' : `document (${mediaType})`
  const visit: Visit = { digest, why: `${from} → ${word}`, root: 'name', document: mediaType, named: true }
  return remoteLayersOf(descriptor).length > 0 ? { ...visit, remoteLayers: true } : visit
}

/** The blobs that a cache record keeps. */
export function recordVisits({ record, digests }: CacheRecord): Visit[] {
  return digests.map(digest => ({ digest, why: `cache record ${record}`, root: 'record', loose: true }))
}

/** The blob that an ingest is expected to store. */
export function ingestVisit(digest: Digest): Visit {
  return { digest, why: 'ingest of the same digest', root: 'ingest', loose: true }
}

/** The images of containers. A container whose image is incomplete stops no collection: it can be removed. */
export function containerVisits(containers: readonly ContainerRoot[] = []): Visit[] {
  return containers.map(({ id, digest }) => ({ digest, why: `container ${id}`, root: 'name', loose: true }))
}

/** The blobs that leases name. */
export function leaseVisits(leases: readonly LeaseState[]): Visit[] {
  return leases.flatMap(({ label, digests }) =>
    digests.map((digest): Visit => ({ digest, why: `lease ${label}`, root: 'lease', loose: true })),
  )
}

/** The active leases. */
export function activeLeases(leases: readonly LeaseState[], nowMs: number, graceMs: number): LeaseState[] {
  return leases.filter(({ holderLives, renewedMs, expiresInMs }) => {
    // A clock that jumps must not expire the lease of a living process.
    if (holderLives) return true
    const lasts = holderLives === false ? Math.min(graceMs, expiresInMs) : expiresInMs
    return Math.max(0, nowMs - renewedMs) <= lasts
  })
}

/** Start of the oldest lease: blobs stored since then are protected. `Infinity` without leases. */
export function protectedSince(leases: readonly LeaseState[]): number {
  return Math.min(Number.POSITIVE_INFINITY, ...leases.map(lease => lease.sinceMs))
}

/** Returns the visit of a blob that was stored or acknowledged since a lease began; it names the oldest one. */
export function sinceVisit(leases: readonly LeaseState[]): (blob: StoredBlob) => Visit {
  const [oldest] = leases.toSorted((a, b) => a.sinceMs - b.sinceMs)
  const why = `stored or used since a lease began${oldest ? ` (${oldest.label})` : ''}`
  return blob => blobVisit(blob, why, 'lease')
}

/** A blob within the grace period. */
export function youngVisit(blob: StoredBlob): Visit {
  return blobVisit(blob, 'stored or used within the grace period', 'young')
}

function blobVisit({ digest, isDocument }: StoredBlob, why: string, root: RootKind): Visit {
  return isDocument === false ? { digest, why, root } : { digest, why, root, loose: true }
}

/** Whether a blob is within the grace period; a time in the future counts as now. */
export function isYoung({ modifiedMs }: StoredBlob, nowMs: number, graceMs: number): boolean {
  return Math.max(0, nowMs - modifiedMs) < graceMs
}
