import { type Digest, digestOf } from '../../../digest/index.ts'
import { StoreError } from '../../../errors/index.ts'
import type { Repository } from '../../../oci/index.ts'
import type { BlobStore, BlobWriter } from '../../../store/index.ts'

type WritableStore = Pick<BlobStore, 'ingest'> & { readonly statIngest?: BlobStore['statIngest'] | undefined }

/** Less than this is sent twice sooner than it is asked who sends it. */
const MIN_BYTES = 1024 * 1024

/** Lets one process at a time send a blob to a repository, among all that push from one store. */
export interface PushTurns {
  /** Whether somebody is sending the blob there now. */
  isBusy(to: Repository, digest: Digest): Promise<boolean>
  /**
   * Waits for a turn. Gives whether somebody else had it meanwhile, and what ends it. What is not worth a turn gets one at once.
   */
  take(
    to: Repository,
    blob: { readonly digest: Digest; readonly size: number },
    signal?: AbortSignal,
  ): Promise<PushTurn>
}

/** A turn, until `end`. */
export interface PushTurn {
  /** Whether somebody else had it first. */
  readonly waited: boolean
  /** Lets the next one have its turn. */
  end(): Promise<void>
}

/**
 * Takes turns by an ingest of the store that nothing is ever written to: one writer has it among all processes, and that
 * of a process that dies is free at once. Nothing fails over it: where no ingest can be opened, blobs are sent all the same.
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
