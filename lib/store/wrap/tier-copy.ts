import { type Digest, splitDigest } from '../../digest/index.ts'
import type { BlobWriter } from '../blob-store.ts'
import type { Store } from '../store.ts'

/** A copy of a blob made while a caller reads it. Its failures never reach the reader. */
export interface TierCopy {
  /** Copies the next bytes. */
  take(chunk: Uint8Array): Promise<void>
  /** Makes the copy visible, after the blob was read to its end. */
  finish(): Promise<void>
  /** Called last in every case. If the blob was not read to its end, the bytes copied are kept for the next copy. */
  close(): Promise<void>
}

/** Starts or resumes a copy; resolves to `undefined` if the store cannot take it or another copy of the blob runs. */
export async function openTierCopy(store: Store, digest: Digest): Promise<TierCopy | undefined> {
  try {
    const writer = await store.ingest(digest, { algorithm: splitDigest(digest).algorithm })
    return new FillWriter(writer, digest)
  } catch {
    return undefined
  }
}

class FillWriter implements TierCopy {
  readonly #digest: Digest
  #writer: BlobWriter | undefined
  /** Number of bytes that an earlier copy has already stored. */
  #skip: number

  constructor(writer: BlobWriter, digest: Digest) {
    this.#writer = writer
    this.#digest = digest
    this.#skip = writer.offset
  }

  async take(chunk: Uint8Array): Promise<void> {
    const fresh = chunk.subarray(Math.min(this.#skip, chunk.byteLength))
    this.#skip -= chunk.byteLength - fresh.byteLength
    await this.#try(writer => writer.write(fresh))
  }

  async finish(): Promise<void> {
    // SAFETY: a slow store that does not verify could give wrong bytes; this digest check keeps them out of the fast
    // store.
    await this.#try(writer => writer.commit({ digest: this.#digest }))
    this.#writer = undefined
  }

  async close(): Promise<void> {
    try {
      await this.#writer?.[Symbol.asyncDispose]()
    } catch {
      // Found by the sweep of the store.
    }
  }

  async #try(act: (writer: BlobWriter) => Promise<unknown>): Promise<void> {
    const writer = this.#writer
    if (!writer) return
    try {
      await act(writer)
    } catch {
      this.#writer = undefined
      await writer.abort().catch(() => undefined)
    }
  }
}
