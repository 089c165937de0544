import type { Digest } from '../digest/index.ts'
import { FormatError, type PlanChange } from '../errors/index.ts'
import { formatReference, parseReference } from '../oci/index.ts'
import type { RegistryClient } from '../registry/index.ts'
import type { Store } from '../store/index.ts'
import { pushTarget } from './endpoints/registry/push-target.ts'
import { remoteLayersSource } from './endpoints/store/remote-layers-source.ts'
import type { PushPlan } from './plan.ts'
import { boundParties, type RegistryAndStore } from './running/bound-parties.ts'
import type { RunOptions } from './running/run-options.ts'
import { runTransfer, type TransferEnds } from './running/run-transfer.ts'

/** Options of {@link runPush}. */
export interface RunPushOptions extends Omit<RunOptions, 'parallel'> {
  /** Registry client to use. @defaultValue the client that the plan was made with */
  readonly registry?: RegistryClient | undefined
  /** Store to read. @defaultValue the store that the plan was made with */
  readonly store?: Store | undefined
  /** Send larger blobs in chunks of this size. @defaultValue 16 MiB, or the minimum that the registry asks for */
  readonly chunkBytes?: number | undefined
}

/** Result of a push. */
export interface PushResult {
  /** Reference of the image in the registry. */
  readonly reference: string
  /** Digest of its manifest or index. */
  readonly digest: Digest
  /** Number of blobs and documents uploaded by this call. */
  readonly blobsUploaded: number
  /** Bytes uploaded by this call, including documents. */
  readonly bytesUploaded: number
  /** Those of `bytesUploaded` that were sent more than once, because the registry lost or rejected them. */
  readonly bytesUploadedAgain: number
  /** Number of blobs that the registry mounted from another repository. */
  readonly blobsMounted: number
  /** Bytes that did not have to be uploaded. */
  readonly bytesSaved: number
  /** Statements of the plan that no longer held. */
  readonly changes: readonly PlanChange[]
}

/**
 * Runs a plan: uploads the blobs that the registry lacks, largest first, then the documents, children before their
 * parents, and sets the tags last. Blobs are verified while they are sent; a corrupt blob never becomes part of the
 * registry.
 *
 * If another push of this client is sending a blob to the same repository, this call waits for it and does not send the
 * blob twice. Blobs above 16 MiB are sent in chunks: after a failure, an abort or a crash of the process, the next push
 * from the same store resumes the upload where the registry says. If the registry reports a missing blob when it gets
 * the manifest, the blob is sent again.
 *
 * @example
 * ```ts
 * const plan = await planPush(store, registry, 'app:1.0', 'ghcr.io/team/app:1.0')
 * const { digest } = await runPush(plan)
 * ```
 *
 * @throws {@link RegistryError}, {@link BlobNotFoundError}, {@link BlobCorruptError}, {@link PlanOutdatedError}: the
 * first failure, after all other transfers of this call have stopped.
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
    throw new FormatError('ERR_INVALID_ARGUMENT', 'a stored plan needs the options registry and store')
  }
  return {
    source: remoteLayersSource(store, plan.name, registry),
    target: pushTarget(store, registry, plan.reference, { tags: plan.tags, chunkBytes: options.chunkBytes }),
    documents: bound.documents ?? new Map(),
    isStored: registry !== bound.registry || store !== bound.store,
  }
}
