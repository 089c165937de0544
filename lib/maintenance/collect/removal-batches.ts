import type { StoredBlob } from '../../store/index.ts'

/** Blobs that are removed together. */
export interface RemovalBatch {
  readonly blobs: readonly StoredBlob[]
  /** Whether no blob of the batch refers to another one. Otherwise parents come first. */
  readonly independent: boolean
}

/** PERF: number of blobs removed while the index is locked: they take about 20 ms. A bucket deletes as many at once. */
const BATCH = 1000
/** A generation of fewer blobs is not worth a batch, which costs some 40 calls of the file system. */
const WORTH_A_BATCH = 32

/**
 * Divides generations of blobs into batches of at most 1000.
 *
 * PERF: small generations share a batch: a chain of 10,000 documents, each naming the next, is as many generations.
 */
export function* removalBatches(generations: readonly (readonly StoredBlob[])[]): Generator<RemovalBatch, void, void> {
  let mixed: StoredBlob[] = []
  for (const generation of generations) {
    if (generation.length < WORTH_A_BATCH) {
      mixed.push(...generation)
      if (mixed.length < BATCH - WORTH_A_BATCH) continue
    }
    if (mixed.length > 0) yield { blobs: mixed, independent: false }
    mixed = []
    if (generation.length < WORTH_A_BATCH) continue
    for (let i = 0; i < generation.length; i += BATCH) {
      yield { blobs: generation.slice(i, i + BATCH), independent: true }
    }
  }
  if (mixed.length > 0) yield { blobs: mixed, independent: false }
}
