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

/** Options of {@link runPull}. */
export interface RunPullOptions extends RunOptions, Pick<StoreTargetOptions, 'verifyDiffIds'> {
  /** Registry client to use. @defaultValue the client that the plan was made with */
  readonly registry?: RegistryClient | undefined
  /** Store to fill. @defaultValue the store that the plan was made with */
  readonly store?: Store | undefined
}

/** Result of a pull. */
export interface PullResult {
  /** Name in the store. */
  readonly name: string
  /** Digest that the name now refers to. */
  readonly digest: Digest
  /** Number of blobs fetched by this call. */
  readonly blobsFetched: number
  /** Bytes fetched by this call, including documents. */
  readonly bytesFetched: number
  /**
   * Those of `bytesFetched` that were fetched more than once: because bytes were wrong, or because the server supports
   * no ranges.
   */
  readonly bytesFetchedAgain: number
  /**
   * Bytes that did not have to be fetched: already stored, fetched by another pull meanwhile, or left by an interrupted
   * pull.
   */
  readonly bytesSaved: number
  /** Layers that `verifyDiffIds` could not compare with the image config, because they are encrypted or absent. */
  readonly unverified: readonly UnverifiedLayer[]
  /** Statements of the plan that no longer held. */
  readonly changes: readonly PlanChange[]
}

/**
 * Runs a plan: fetches the blobs that the store lacks, largest first, then the documents, then sets the name. When it
 * resolves, the image is complete and every received byte was verified; until then the name refers to its previous
 * image.
 *
 * If another pull is fetching a blob into the same store, this call waits for it and does not fetch the blob twice.
 * After a failure or an abort no incomplete blob is visible; the store keeps the received part for the next attempt, in
 * this process or another. Wrong bytes are dropped, and fetched again from another mirror or from the same one.
 *
 * A stored plan is compared with the current state; see {@link RunOptions.ifChanged}.
 *
 * @example
 * ```ts
 * const plan = await planPull(registry, store, 'node:22-slim')
 * const { digest, bytesFetched } = await runPull(plan, { concurrency: 8 })
 * ```
 *
 * @throws {@link RegistryError}, {@link DigestMismatchError}, {@link SizeMismatchError}, {@link StoreError},
 * {@link DiffIdMismatchError}, {@link PlanOutdatedError}: the first failure, after all other transfers of this call
 * have stopped.
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
    throw new FormatError('ERR_INVALID_ARGUMENT', 'a stored plan needs the options registry and store')
  }
  return {
    source: registrySourceEndpoint(registry, plan.reference),
    target: storeTargetEndpoint(store, [plan.name], { verifyDiffIds: options.verifyDiffIds }),
    documents: bound.documents ?? new Map(),
    isStored: registry !== bound.registry || store !== bound.store,
  }
}
