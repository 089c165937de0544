import {
  createStreamDigester,
  type DigestAlgorithm,
  type DigestCheckpoint,
  type HasherEngine,
  restoreStreamDigester,
  type StreamDigester,
} from '../../digest/index.ts'
import type { BlobInfo } from '../blob-store.ts'
import type { IngestSink, Progress } from '../drivers/ingest-writer.ts'

/** Bytes of an unfinished ingest without a writer. */
export interface PartialBlob {
  readonly algorithm: DigestAlgorithm
  readonly chunks: Uint8Array[]
  readonly checkpoint: DigestCheckpoint | undefined
}

interface MemorySinkTarget {
  publish(blob: BlobInfo, bytes: Uint8Array): void
  keep(chunks: Uint8Array[], progress: Progress): void
  forget(): void
}

/** Keeps the bytes of one ingest in a list until they become a blob. */
export class MemorySink implements IngestSink {
  readonly #chunks: Uint8Array[]
  readonly #target: MemorySinkTarget

  constructor(chunks: Uint8Array[], target: MemorySinkTarget) {
    this.#chunks = chunks
    this.#target = target
  }

  async append(chunk: Uint8Array): Promise<void> {
    this.#chunks.push(Uint8Array.from(chunk))
  }

  async advance(): Promise<void> {}

  async publish(blob: BlobInfo): Promise<void> {
    this.#target.publish(blob, Buffer.concat(this.#chunks, blob.size))
    this.#target.forget()
  }

  async keep(progress: Progress | undefined): Promise<void> {
    if (progress && progress.offset > 0) this.#target.keep(this.#chunks, progress)
  }

  async drop(): Promise<void> {
    this.#target.forget()
  }
}

/** Resolves to a digester whose state is that at the end of the partial blob. */
export async function resumePartial(
  partial: PartialBlob,
  hashing: { readonly algorithm: DigestAlgorithm; readonly hasher: HasherEngine },
): Promise<StreamDigester> {
  const isSame = partial.algorithm === hashing.algorithm && hashing.hasher === 'wasm'
  if (partial.checkpoint && isSame) return restoreStreamDigester(partial.checkpoint)
  const digester = await createStreamDigester(hashing)
  for (const chunk of partial.chunks) await digester.update(chunk)
  return digester
}
