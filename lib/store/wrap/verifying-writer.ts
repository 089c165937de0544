import { type DigestAlgorithm, type Digester, parseDigest, splitDigest } from '../../digest/index.ts'
import { BlobCorruptError } from '../../errors/index.ts'
import type { BlobInfo, BlobStore, BlobWriter, CommitOptions } from '../blob-store.ts'
import { assertSame, proven } from '../drivers/prove.ts'

/** Parts of a verifying writer. */
export interface VerifyingWriterParts {
  /** Store that reads back the bytes that an earlier writer stored. */
  readonly store: BlobStore
  readonly writer: BlobWriter
  readonly digester: Digester
  readonly algorithm: DigestAlgorithm
}

/** Hashes the bytes in addition to the wrapped writer, and trusts only its own digest. */
export class VerifyingWriter implements BlobWriter {
  readonly #parts: VerifyingWriterParts
  /** Whether the ingest was resumed: this writer did not see the earlier bytes, so the blob is read back. */
  readonly #resumed: boolean
  #open = true

  constructor(parts: VerifyingWriterParts) {
    this.#parts = parts
    this.#resumed = parts.writer.offset > 0
  }

  get offset(): number {
    return this.#parts.writer.offset
  }

  async write(chunk: Uint8Array): Promise<void> {
    const written = this.#parts.writer.write(chunk)
    // Synchronously, before the caller can change the chunk; the order of calls is the order of bytes.
    if (this.#open && chunk instanceof Uint8Array) this.#parts.digester.update(chunk)
    await written
  }

  async commit(expected: CommitOptions = {}): Promise<BlobInfo> {
    const { writer, digester, algorithm } = this.#parts
    const { digest } = expected
    const answerable = this.#open && (digest === undefined || splitDigest(parseDigest(digest)).algorithm === algorithm)
    // For any other refusal than wrong bytes, the wrapped store throws its own error.
    if (!answerable || expected.signal?.aborted) return writer.commit(expected)
    this.#open = false
    try {
      return this.#resumed ? await this.#commitAndReadBack(expected) : await this.#commitProven(expected)
    } catch (error) {
      await writer.abort().catch(() => undefined)
      throw error
    } finally {
      digester.release()
    }
  }

  async #commitProven(expected: CommitOptions): Promise<BlobInfo> {
    const own = proven(this.#parts.digester, expected)
    const stored = await this.#parts.writer.commit({ ...own, signal: expected.signal })
    assertSame(stored, own)
    return stored
  }

  async #commitAndReadBack(expected: CommitOptions): Promise<BlobInfo> {
    const { store, writer } = this.#parts
    const stored = await writer.commit(expected)
    assertSame(stored, { digest: expected.digest ?? stored.digest, size: expected.size ?? stored.size })
    try {
      for await (const _ of store.read(stored.digest, { signal: expected.signal })) void _
    } catch (error) {
      if (error instanceof BlobCorruptError) await store.delete(stored.digest)
      throw error
    }
    return stored
  }

  async abort(): Promise<void> {
    this.#release()
    await this.#parts.writer.abort()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#release()
    await this.#parts.writer[Symbol.asyncDispose]()
  }

  #release(): void {
    if (!this.#open) return
    this.#open = false
    this.#parts.digester.release()
  }
}
