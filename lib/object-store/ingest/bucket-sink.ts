import { DigestMismatchError, StoreError } from '../../errors/index.ts'
import type { BlobInfo, IngestSink, Progress } from '../../store/index.ts'
import { markTouched, publishBytes } from '../blobs/publish-blob.ts'
import type { ObjectContext } from '../object-context.ts'
import { blobKey, digestIn, Keys } from '../objects/keys.ts'
import { copyBlobObject } from './copy-blob-object.ts'
import type { HeldIngest } from './held-ingest.ts'
import type { UploadState } from './ingest-record.ts'
import type { PartUpload } from './part-upload.ts'

/** Bytes between two saved states, if the bytes so far are whole parts. A killed transfer loses at most about twice. */
const CHECKPOINT_BYTES = 32 * 1024 * 1024
/** Bytes between two saved states that need an object for the tail. */
const TAIL_CHECKPOINT_BYTES = 2 * CHECKPOINT_BYTES

/** Parts of a {@link BucketSink}. */
export interface SinkParts {
  readonly upload: PartUpload
  /** Key of the upload: that of the blob if its digest is known beforehand. */
  readonly target: string
  readonly algorithm: UploadState['algorithm']
  /** Record of the ingest; absent for a put, which cannot be resumed. */
  readonly held: HeldIngest | undefined
  readonly offset: number
}

/** Writes the bytes of one ingest as one object or as parts, and publishes the blob. */
export class BucketSink implements IngestSink {
  readonly #context: ObjectContext
  readonly #parts: SinkParts
  #saved: number
  #saving: Promise<void> | undefined
  #lost: { readonly reason: unknown } | undefined

  constructor(context: ObjectContext, parts: SinkParts) {
    this.#context = context
    this.#parts = parts
    this.#saved = parts.offset
  }

  append(chunk: Uint8Array): Promise<void> {
    this.#assertSound()
    return this.#parts.upload.append(chunk)
  }

  async advance(offset: number, progress: () => Promise<Progress>): Promise<void> {
    const { held, upload } = this.#parts
    this.#assertSound()
    const due = offset - this.#saved
    if (!held || this.#saving || due < (upload.tail.byteLength === 0 ? CHECKPOINT_BYTES : TAIL_CHECKPOINT_BYTES)) return
    this.#saved = offset
    // Saved in the background while the transfer goes on, which never writes the memory of this tail again.
    const [tail, count] = [upload.tail, upload.sent]
    this.#saving = this.#save(held, await progress(), tail, count).then(
      () => {
        this.#saving = undefined
      },
      reason => {
        this.#saving = undefined
        this.#lost ??= { reason }
      },
    )
  }

  #assertSound(): void {
    if (this.#lost) throw this.#lost.reason
  }

  /** Saves progress after the bytes that it counts. */
  async #save(held: HeldIngest, progress: Progress, tail: Buffer, count: number): Promise<void> {
    await held.save(await this.#store(held, progress, tail, count))
  }

  async #store(held: HeldIngest, progress: Progress, tail: Buffer, count: number): Promise<UploadState> {
    const { upload, target, algorithm } = this.#parts
    const uploadId = (await upload.settle()) ?? null
    const { offset, checkpoint } = progress
    if (tail.byteLength > 0) await this.#context.bucket.put(held.keys.tail(offset), tail)
    const partBytes = upload.parts.slice(0, count).reduce((sum, part) => sum + part.size, 0)
    return { algorithm, offset, target, uploadId, parts: count, partBytes, checkpoint }
  }

  async publish(blob: BlobInfo, signal: AbortSignal | undefined): Promise<void> {
    const { upload, held } = this.#parts
    await this.#saving
    this.#assertSound()
    signal?.throwIfAborted()
    if (upload.hasBegun) await this.#publishParts(blob)
    else await publishBytes(this.#context, blob, upload.tail)
    // The blob is stored; a collection removes what cannot be removed now.
    await held?.remove().catch(() => undefined)
  }

  async #publishParts(blob: BlobInfo): Promise<void> {
    const { upload, target } = this.#parts
    const key = blobKey(blob.digest)
    const expected = digestIn(target, Keys.blobs)
    if (expected && target !== key) {
      throw new DigestMismatchError({ expected, actual: blob.digest, what: 'blob, by the key of its ingest' })
    }
    const noteStored = this.#context.held.storing()
    // SAFETY: the parts cannot be written again. So the marker comes first: a collection that was announced before is
    // over then, and a later one sees the marker and leaves the blob.
    await markTouched(this.#context, blob.digest)
    await upload.complete()
    if (target === key) return noteStored(blob)
    await copyBlobObject(this.#context, target, key, blob.size)
    noteStored(blob)
    await this.#context.bucket.delete(target).catch(() => undefined)
  }

  async keep(progress: Progress | undefined): Promise<void> {
    const { held, upload } = this.#parts
    await this.#saving
    if (!held || this.#lost || progress?.offset === 0) return this.drop()
    const state = progress && (await this.#store(held, progress, upload.tail, upload.sent))
    try {
      await held.release(state)
    } catch (error) {
      // Another process has taken the ingest over: what this one wrote is no longer the ingest.
      if (!(error instanceof StoreError && error.code === 'ERR_STORE_LOCKED')) throw error
    }
  }

  async drop(): Promise<void> {
    const { held, upload, target } = this.#parts
    await this.#saving
    await upload.abort()
    await held?.remove()
    // A commit may have failed after it had made the object.
    if (upload.hasBegun && !digestIn(target, Keys.blobs)) await this.#context.bucket.delete(target)
  }
}
