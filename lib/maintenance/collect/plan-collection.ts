import { type Digest, isDigest } from '../../digest/index.ts'
import { StoreError } from '../../errors/index.ts'
import type { AbortOptions } from '../../internal/abort.ts'
import { type CollectionDriver, driverOf, type Store } from '../../store/index.ts'
import { chooseNames } from './choose-names.ts'
import type {
  BlobCount,
  CollectionPlan,
  CollectionPolicy,
  DroppedBlob,
  KeptBlob,
  ResolvedPolicy,
} from './collection-plan.ts'
import { GraphMarker, type Mark, type RootKind } from './mark-graph.ts'
import { markStore, refuseUnknown, type Survey, surveyStore, where } from './mark-store.ts'
import { resolvePolicy } from './resolve-policy.ts'
import type { RetentionChoice } from './retention.ts'
import { nameVisit, recordVisits } from './root-visits.ts'

/** Maximum number of attempts while names keep changing, before missing blobs are reported as missing. */
const ATTEMPTS = 5

/** Options of {@link planCollection}. */
export interface PlanCollectionOptions extends CollectionPolicy, AbortOptions {}

/**
 * Plans a collection: lists the names, cache records and blobs to remove and those to keep, each with its reason.
 * Changes nothing; works on a read-only store. A blob is removed only if no name, entry, lease, ingest or cache record
 * reaches it, its subject is not kept, and it is older than the grace period.
 *
 * Names are dropped only by the limits of the policy. "Used" means stored, pulled, composed or acknowledged again.
 *
 * @example
 * ```ts
 * const plan = await planCollection(store, { keepLast: 3 })
 * for (const { digest, why } of plan.drop) console.log(digest, why)
 * ```
 *
 * @throws {@link StoreError} `ERR_COLLECTION_REFUSED` if the needed blobs cannot be determined, or if blobs would be
 * removed although the store has no names; `ERR_STORE_FORMAT` if the index is damaged; `ERR_COLLECTION_UNSUPPORTED`.
 */
export async function planCollection(store: Store, options: PlanCollectionOptions = {}): Promise<CollectionPlan> {
  const { signal } = options
  const { survey, choice, marking, missing } = await look(store, resolvePolicy(options), { signal })
  refuseUnknown(marking, survey.policy)
  const drop = await dropped(survey, choice, marking, { signal })
  refuseWithoutNames(survey, drop)
  const keep = kept(survey, marking)
  return {
    kind: 'collection',
    version: 1,
    policy: survey.policy,
    dropNames: choice.dropNames,
    dropRecords: choice.dropRecords,
    drop,
    keep,
    missing,
    unknown: marking.unknown.map(({ digest, why }) => ({ digest, why })),
    bytesFreed: bytesOf(drop),
    bytesKept: bytesOf(keep),
    skippedYoung: countOf(survey, marking, ['young']),
    skippedLeased: countOf(survey, marking, ['lease', 'ingest']),
    leases: keepingLeases(survey, marking).map(({ label, holder }) => ({ label, holder })),
  }
}

interface Look {
  readonly survey: Survey
  readonly choice: RetentionChoice
  readonly marking: GraphMarker
  readonly missing: CollectionPlan['missing']
}

/**
 * Surveys and marks the store without a lock. Meanwhile another process may drop a name and another collection remove
 * its blobs, which would look missing; so if blobs are missing and the names have changed, it starts again.
 */
async function look(store: Store, policy: ResolvedPolicy, options: AbortOptions): Promise<Look> {
  const driver = collectionDriverOf(store)
  for (let attempt = 1; ; attempt++) {
    const survey = await surveyStore(driver, policy, options)
    const choice = await chooseNames(survey, options)
    const marking = await markStore(survey, choice, options)
    const missing = await missingOf(store, survey, marking, options)
    const isSound = missing.length === 0 && marking.unknown.length === 0
    if (isSound || attempt === ATTEMPTS || (await driver.roots(options)).names === survey.roots.names) {
      return { survey, choice, marking, missing }
    }
  }
}

/** The collection driver of a store; throws if it has none. */
export function collectionDriverOf(store: Store): CollectionDriver {
  const { collection } = driverOf(store)
  if (collection) return collection
  throw new StoreError('ERR_COLLECTION_UNSUPPORTED', 'garbage cannot be collected in a store of this kind')
}

async function dropped(
  survey: Survey,
  choice: RetentionChoice,
  marking: GraphMarker,
  options: AbortOptions,
): Promise<DroppedBlob[]> {
  const going = where(survey.blobs, ({ digest }) => !marking.marks.has(digest))
  if (going.length === 0) return []
  const before = new GraphMarker(survey.graph)
  const isGoing = new Set([...choice.dropNames.map(({ name }) => name), ...choice.dropRecords.map(r => r.record)])
  await before.walk(survey.roots.names.filter(({ name }) => isGoing.has(name)).map(nameVisit), options)
  await before.walk(
    survey.roots.records.filter(({ record }) => isGoing.has(record)).flatMap(record => recordVisits(record)),
    options,
  )
  const subjects = new Map<Digest, Digest>()
  for (const [subject, referrers] of marking.referrers) for (const digest of referrers) subjects.set(digest, subject)
  return going.map(({ digest, size, modifiedMs }) => {
    return { digest, size, modifiedMs, why: whyDropped(before.marks.get(digest), subjects.get(digest)) }
  })
}

function whyDropped(before: Mark | undefined, subject: Digest | undefined): string {
  if (before) return `was kept by ${before.why}, which is dropped`
  return subject ? `referrer of ${subject}, which does not stay` : 'nothing reaches it'
}

/**
 * SAFETY: a store without any name is more likely a mistake (a lost index, a wrong directory) than garbage, and the
 * collection would remove everything; so it is refused without `force`.
 */
function refuseWithoutNames({ roots, policy }: Survey, drop: readonly DroppedBlob[]): void {
  if (policy.force || drop.length === 0) return
  if (roots.names.length + roots.entries.length + (roots.containers?.length ?? 0) > 0) return
  const message = `the store has no names, and ${drop.length} blobs would be removed; force the collection if that is meant`
  throw new StoreError('ERR_COLLECTION_REFUSED', message)
}

function kept({ blobs }: Survey, marking: GraphMarker): KeptBlob[] {
  const keep: KeptBlob[] = []
  for (const [digest, { why }] of marking.marks) {
    const blob = blobs.get(digest)
    if (blob) keep.push({ digest: blob.digest, size: blob.size, why })
  }
  return keep
}

async function missingOf(
  store: Store,
  { blobs }: Survey,
  marking: GraphMarker,
  options: AbortOptions,
): Promise<CollectionPlan['missing']> {
  const found: { digest: Digest; why: string }[] = []
  for (const [digest, { why, root }] of marking.marks) {
    if (root !== 'name' || blobs.has(digest) || marking.optional.has(digest)) continue
    // The blob may have been stored after the listing.
    if (!isDigest(digest) || !(await store.stat(digest, options))) found.push({ digest, why })
  }
  return found
}

function countOf({ blobs }: Survey, { marks }: GraphMarker, kinds: readonly RootKind[]): BlobCount {
  const counted = where(blobs, ({ digest }) => kinds.includes(marks.get(digest)?.root as RootKind))
  return { blobs: counted.length, bytes: bytesOf(counted) }
}

/** Returns the leases that name a blob that only leases keep, or that began before such a blob was stored. */
function keepingLeases({ blobs, leases }: Survey, { marks }: GraphMarker): Survey['leases'] {
  const isLeased = (digest: Digest) => marks.get(digest)?.root === 'lease'
  const leased = where(blobs, ({ digest }) => isLeased(digest))
  const newestMs = leased.reduce((newest, { modifiedMs }) => Math.max(newest, modifiedMs), Number.NEGATIVE_INFINITY)
  return leases.filter(({ digests, sinceMs }) => sinceMs <= newestMs || digests.some(isLeased))
}

function bytesOf(blobs: readonly { readonly size: number }[]): number {
  return blobs.reduce((sum, { size }) => sum + size, 0)
}
