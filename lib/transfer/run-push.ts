import type { Digest } from '../digest/index.ts'
import { FormatError, type PlanChange } from '../errors/index.ts'
import { formatReference, parseReference } from '../oci/index.ts'
import type { RegistryClient } from '../registry/index.ts'
import type { Store } from '../store/index.ts'
import { pushTarget } from './endpoints/registry/push-target.ts'
import { storeSourceEndpoint } from './endpoints/store/store-source-endpoint.ts'
import type { PushPlan } from './plan.ts'
import { boundParties, type RegistryAndStore } from './running/bound-parties.ts'
import type { RunOptions } from './running/run-options.ts'
import { runTransfer, type TransferEnds } from './running/run-transfer.ts'

/** How to run a plan. */
export interface RunPushOptions extends Omit<RunOptions, 'parallel'> {
  /** Registry client to use. @defaultValue the one the plan was made with */
  readonly registry?: RegistryClient | undefined
  /** Store to read. @defaultValue the one the plan was made with */
  readonly store?: Store | undefined
  /** Send blobs that are larger in pieces of so many bytes. @defaultValue 16 MiB, or what the registry wants */
  readonly chunkBytes?: number | undefined
}

/** What a push did. */
export interface PushResult {
  /** Where the image is now. */
  readonly reference: string
  /** Digest of its manifest or index. */
  readonly digest: Digest
  /** Blobs and documents uploaded by this call. */
  readonly blobsUploaded: number
  /** Bytes uploaded by this call, documents included. */
  readonly bytesUploaded: number
  /** Bytes of these that had been sent before, and that the registry had lost or not taken. */
  readonly bytesUploadedAgain: number
  /** Blobs that the registry took over from another repository. */
  readonly blobsMounted: number
  /** Bytes that need not be uploaded. */
  readonly bytesSaved: number
  /** What the plan said and what was no longer so. */
  readonly changes: readonly PlanChange[]
}

/**
 * Runs a plan: uploads what the registry lacks, largest first, then the documents, children before their parents, and
 * the tags last. Blobs are verified while they are sent; a corrupt one never becomes part of the registry.
 *
 * A blob that another push of this client is sending to the same repository is waited for, not sent twice. Blobs above 16 MiB go
 * in pieces: what a failure, an abort or the death of the process interrupts goes on where the registry says, by the next push
 * from the same store. A blob that the registry turns out to lack when it gets the manifest is sent again.
 *
 * @throws {@link RegistryError}, {@link BlobNotFoundError}, {@link BlobCorruptError}, {@link PlanOutdatedError}: the first
 * failure, when all other transfers of this call have stopped.
 */
export async function runPush(plan: PushPlan, options: RunPushOptions = {}): Promise<PushResult> {
  if (plan.kind !== 'push' || plan.version !== 1) {
    throw new FormatError('ERR_INVALID_ARGUMENT', 'not a push plan of version 1')
  }
  const done = await runTransfer(plan, endsOf(plan, options), options)
  return {
    reference: formatReference(parseReference(plan.reference)),
    digest: done.digest,
    blobsUploaded: done.blobsMoved,
    bytesUploaded: done.bytesMoved,
    bytesUploadedAgain: done.bytesMovedAgain,
    blobsMounted: done.blobsMounted,
    bytesSaved: done.bytesSaved,
    changes: done.changes,
  }
}

function endsOf(plan: PushPlan, options: RunPushOptions): TransferEnds {
  const bound = boundParties<RegistryAndStore>(plan)
  const { registry = bound.registry, store = bound.store } = options
  if (!registry || !store) {
    throw new FormatError('ERR_INVALID_ARGUMENT', 'a plan that was stored needs the options registry and store to run')
  }
  return {
    source: storeSourceEndpoint(store, plan.name),
    target: pushTarget(store, registry, plan.reference, { tags: plan.tags, chunkBytes: options.chunkBytes }),
    documents: bound.documents ?? new Map(),
    isStored: registry !== bound.registry || store !== bound.store,
  }
}
