import { type Digest, splitDigest } from '../../digest/index.ts'
import type { BlobWriter } from '../blob-store.ts'
import type { Store } from '../store.ts'

/** A copy that is made of a blob while somebody reads it. None of its failures is the reader's. */
export interface TierCopy {
  /** Copies the next bytes. */
  take(chunk: Uint8Array): Promise<void>
  /** Makes the copy visible, when the blob was read to its end. */
  finish(): Promise<void>
  /** Called in any case, last: what was copied of a blob that was not read to its end is kept for the next time. */
  leave(): Promise<void>
}

/** Begins a copy, or goes on with one that was left; nothing if the store cannot take it or somebody else is at it. */
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
  /** Bytes that an earlier copy has taken already. */
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
    // SAFETY: the digest is proven again here: a slow store that does not verify must not spoil the fast one.
    await this.#try(writer => writer.commit({ digest: this.#digest }))
    this.#writer = undefined
  }

  async leave(): Promise<void> {
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
