import { type Digest, digestOf } from '../../../digest/index.ts'
import { StoreError } from '../../../errors/index.ts'
import type { Repository } from '../../../oci/index.ts'
import type { BlobStore, BlobWriter } from '../../../store/index.ts'

type WritableStore = Pick<BlobStore, 'ingest'> & { readonly statIngest?: BlobStore['statIngest'] | undefined }

/** PERF: sending a smaller blob twice costs less than asking whether another process is sending it. */
const MIN_BYTES = 1024 * 1024

/** A lock per blob and repository: among all processes that push from one store, one at a time sends the blob. */
export interface PushTurns {
  /** True while another process is sending the blob to the repository. */
  isBusy(to: Repository, digest: Digest): Promise<boolean>
  /** Waits for the lock. A blob below 1 MiB needs none and gets it at once. */
  take(
    to: Repository,
    blob: { readonly digest: Digest; readonly size: number },
    signal?: AbortSignal,
  ): Promise<PushTurn>
}

/** A held lock, until `end`. */
export interface PushTurn {
  /** True if another process held the lock first. */
  readonly waited: boolean
  /** Releases the lock. */
  end(): Promise<void>
}

/**
 * Uses an ingest of the store as the lock: nothing is ever written to it. An ingest has one writer among all processes,
 * and the store frees it when that process dies. If the store cannot open an ingest, the push runs without the lock.
 */
export function pushTurns(store: WritableStore): PushTurns {
  return {
    async isBusy(to, digest) {
      const found = await store.statIngest?.(await keyOf(to, digest)).catch(() => undefined)
      return found?.busy ?? false
    },
    async take(to, { digest, size }, signal) {
      if (size < MIN_BYTES) return { waited: false, end: async () => {} }
      const { writer, waited } = await open(store, await keyOf(to, digest), signal)
      return { waited, end: async () => writer?.abort().catch(() => undefined) }
    },
  }
}

async function keyOf({ registry, repository }: Repository, digest: Digest): Promise<string> {
  return `push ${await digestOf(Buffer.from(`${registry}/${repository}`))} ${digest}`
}

async function open(
  store: WritableStore,
  key: string,
  signal: AbortSignal | undefined,
): Promise<{ writer: BlobWriter | undefined; waited: boolean }> {
  let waited = false
  try {
    return { writer: await store.ingest(key, { signal }), waited }
  } catch (error) {
    waited = error instanceof StoreError && error.code === 'ERR_INGEST_BUSY'
    if (!waited) return { writer: unlessAborted(signal), waited }
  }
  try {
    return { writer: await store.ingest(key, { wait: true, signal }), waited }
  } catch {
    return { writer: unlessAborted(signal), waited }
  }
}

function unlessAborted(signal: AbortSignal | undefined): undefined {
  signal?.throwIfAborted()
}
