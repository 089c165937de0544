import type { Digest } from '../../digest/index.ts'
import { BlobCorruptError, BlobNotFoundError } from '../../errors/index.ts'
import type { CheckFault, FoundFile, Store } from '../../store/index.ts'
import { faultOf } from '../../store/index.ts'
import { BytePace } from './byte-pace.ts'
import { type CheckProgressRecord, forgetProgress, saveProgress } from './check-progress.ts'

/** A regular file under the name of a blob. */
export type FoundBlob = Extract<FoundFile, { kind: 'blob' }>

/** Options of {@link verifyBlobs}. */
export interface VerifyBlobsOptions {
  readonly concurrency: number
  readonly bytesPerSecond: number | undefined
  readonly signal: AbortSignal | undefined
  /** Progress of the check to resume. */
  readonly from: CheckProgressRecord | undefined
  /** Called after each blob. */
  readonly onBlob: (digest: Digest, sums: { blobs: number; bytes: number }) => void
  readonly onCorrupt: (blob: FoundBlob, error: BlobCorruptError) => Promise<void>
  readonly onFault: (fault: CheckFault) => void
}

const SAVE_EVERY_MS = 2000

/**
 * Reads blobs and compares them with their digests, a few at a time and in the order of their digests, so that one
 * digest records the progress. Blobs removed meanwhile are skipped; a failed read by the system is not reported as
 * damage.
 */
export async function verifyBlobs(
  store: Store,
  blobs: readonly FoundBlob[],
  options: VerifyBlobsOptions,
): Promise<{ blobs: number; bytes: number }> {
  const pass = new VerifyPass(store, blobs, options)
  await pass.run()
  return pass.sums
}

class VerifyPass {
  readonly sums: { blobs: number; bytes: number }
  readonly #store: Store
  readonly #blobs: readonly FoundBlob[]
  readonly #options: VerifyBlobsOptions
  readonly #pace: BytePace
  readonly #damaged = new Set<Digest>()
  /** Positions of the blobs that are being read. */
  readonly #open = new Set<number>()
  #next = 0
  #savedAt = performance.now()
  #failure: { readonly error: unknown } | undefined

  constructor(store: Store, blobs: readonly FoundBlob[], options: VerifyBlobsOptions) {
    const { from } = options
    const again = new Set(from?.damaged)
    this.#store = store
    this.#blobs = [...blobs]
      .sort((a, b) => (a.digest < b.digest ? -1 : 1))
      .filter(({ digest }) => !from || digest > from.after || again.has(digest))
    this.#options = options
    this.#pace = new BytePace(options.bytesPerSecond)
    this.sums = { blobs: from?.blobs ?? 0, bytes: from?.bytes ?? 0 }
  }

  async run(): Promise<void> {
    const workers = Array.from({ length: this.#options.concurrency }, () => this.#work())
    await Promise.all(workers)
    const { signal } = this.#options
    if (!this.#failure && !signal?.aborted) return forgetProgress(this.#store)
    await this.#save()
    signal?.throwIfAborted()
    throw this.#failure?.error
  }

  async #work(): Promise<void> {
    while (this.#next < this.#blobs.length && !this.#failure && !this.#options.signal?.aborted) {
      const place = this.#next++
      this.#open.add(place)
      try {
        await this.#verify(this.#blobs[place] as FoundBlob)
        this.#open.delete(place)
        await this.#saveNowAndThen()
      } catch (error) {
        this.#failure ??= { error }
      }
    }
  }

  async #verify(blob: FoundBlob): Promise<void> {
    const { signal, onBlob } = this.#options
    const read = { verify: 'always', onCorrupt: 'report', borrow: true, signal } as const
    try {
      for await (const chunk of this.#store.read(blob.digest, read)) {
        this.sums.bytes += chunk.byteLength
        await this.#pace.take(chunk.byteLength, signal)
      }
    } catch (error) {
      if (signal?.aborted) throw error
      // Another process removed the blob after it was listed.
      if (error instanceof BlobNotFoundError) return
      await this.#note(blob, error)
    }
    this.sums.blobs++
    onBlob(blob.digest, { ...this.sums })
  }

  async #note(blob: FoundBlob, error: unknown): Promise<void> {
    this.#damaged.add(blob.digest)
    if (error instanceof BlobCorruptError) return this.#options.onCorrupt(blob, error)
    this.#options.onFault(faultOf(error, { digest: blob.digest, path: blob.path }))
  }

  async #saveNowAndThen(): Promise<void> {
    if (performance.now() - this.#savedAt < SAVE_EVERY_MS) return
    this.#savedAt = performance.now()
    await this.#save()
  }

  /**
   * Saves the progress up to the first unfinished blob; a resumed check reads the blobs after it and the damaged ones
   * again.
   */
  async #save(): Promise<void> {
    const { from } = this.#options
    const done = this.#blobs.slice(0, Math.min(this.#next, ...this.#open))
    const after = [from?.after, done.at(-1)?.digest]
      .filter(digest => digest !== undefined)
      .sort()
      .at(-1)
    if (after === undefined) return
    const right = done.filter(({ digest }) => !this.#damaged.has(digest))
    const later = this.#blobs.slice(done.length).filter(({ digest }) => digest <= after)
    await saveProgress(this.#store, {
      version: 1,
      after,
      blobs: (from?.blobs ?? 0) + right.length,
      bytes: (from?.bytes ?? 0) + right.reduce((sum, { size }) => sum + size, 0),
      damaged: [...[...this.#damaged].filter(digest => digest <= after), ...later.map(({ digest }) => digest)],
      savedMs: Date.now(),
    })
  }
}
