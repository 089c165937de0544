import type { Digest } from '../digest/index.ts'
import { FormatError, type PlanChange } from '../errors/index.ts'
import type { RegistryClient } from '../registry/index.ts'
import type { Store } from '../store/index.ts'
import { registrySourceEndpoint } from './endpoints/registry/registry-source-endpoint.ts'
import { type StoreTargetOptions, storeTargetEndpoint } from './endpoints/store/store-target-endpoint.ts'
import type { UnverifiedLayer } from './endpoints/transfer-target.ts'
import type { PullPlan } from './plan.ts'
import { boundParties, type RegistryAndStore } from './running/bound-parties.ts'
import type { RunOptions } from './running/run-options.ts'
import { runTransfer, type TransferEnds } from './running/run-transfer.ts'

/** How to run a plan. */
export interface RunPullOptions extends RunOptions, Pick<StoreTargetOptions, 'verifyDiffIds'> {
  /** Registry client to use. @defaultValue the one the plan was made with */
  readonly registry?: RegistryClient | undefined
  /** Store to fill. @defaultValue the one the plan was made with */
  readonly store?: Store | undefined
}

/** What a pull did. */
export interface PullResult {
  /** Name in the store. */
  readonly name: string
  /** What the name stands for now. */
  readonly digest: Digest
  /** Blobs fetched by this call. */
  readonly blobsFetched: number
  /** Bytes fetched by this call, documents included. */
  readonly bytesFetched: number
  /** Bytes of these that had been fetched before and were of no use: wrong ones, or a server that gives no parts. */
  readonly bytesFetchedAgain: number
  /** Bytes that need not be fetched: already there, brought by another pull meanwhile, or kept from a broken one. */
  readonly bytesSaved: number
  /** Layers that `verifyDiffIds` could not compare with the image config, because they are encrypted or not there. */
  readonly unverified: readonly UnverifiedLayer[]
  /** What the plan said and what was no longer so. */
  readonly changes: readonly PlanChange[]
}

/**
 * Runs a plan: fetches what the store lacks, largest first, then the documents, then sets the name. When it resolves, the
 * image is complete and every byte that came was verified; until then the name stands for what it stood for before.
 *
 * A blob that another pull is fetching into the same store is waited for, not fetched twice. After a failure or an
 * abort no blob is visible that is not whole; what had arrived of the others is kept for the next try, in this process or
 * another. Wrong bytes are dropped, and fetched from another mirror, or once more.
 *
 * A plan that was stored is compared with what is so now; see {@link RunOptions.ifChanged}.
 *
 * @throws {@link RegistryError}, {@link DigestMismatchError}, {@link SizeMismatchError}, {@link StoreError},
 * {@link DiffIdMismatchError}, {@link PlanOutdatedError}: the first failure, when all other transfers of this call have
 * stopped.
 */
export async function runPull(plan: PullPlan, options: RunPullOptions = {}): Promise<PullResult> {
  if (plan.kind !== 'pull' || plan.version !== 1) {
    throw new FormatError('ERR_INVALID_ARGUMENT', 'not a pull plan of version 1')
  }
  const done = await runTransfer(plan, endsOf(plan, options), options)
  return {
    name: done.name,
    digest: done.digest,
    blobsFetched: done.blobsMoved,
    bytesFetched: done.bytesMoved,
    bytesFetchedAgain: done.bytesMovedAgain,
    bytesSaved: done.bytesSaved,
    unverified: done.unverified,
    changes: done.changes,
  }
}

function endsOf(plan: PullPlan, options: RunPullOptions): TransferEnds {
  const bound = boundParties<RegistryAndStore>(plan)
  const { registry = bound.registry, store = bound.store } = options
  if (!registry || !store) {
    throw new FormatError('ERR_INVALID_ARGUMENT', 'a plan that was stored needs the options registry and store to run')
  }
  return {
    source: registrySourceEndpoint(registry, plan.reference),
    target: storeTargetEndpoint(store, [plan.name], { verifyDiffIds: options.verifyDiffIds }),
    documents: bound.documents ?? new Map(),
    isStored: registry !== bound.registry || store !== bound.store,
  }
}
