import { type DigestAlgorithm, type Digester, parseDigest, splitDigest } from '../../digest/index.ts'
import { BlobCorruptError } from '../../errors/index.ts'
import type { BlobInfo, BlobStore, BlobWriter, CommitOptions } from '../blob-store.ts'
import { assertSame, proven } from './prove.ts'

/** What a verifying writer is made of. */
export interface VerifyingWriterParts {
  /** Reads back what cannot be known otherwise. */
  readonly store: BlobStore
  readonly writer: BlobWriter
  readonly digester: Digester
  readonly algorithm: DigestAlgorithm
}

/** Hashes what is written beside the writer that stores it, and believes only itself. */
export class VerifyingWriter implements BlobWriter {
  readonly #parts: VerifyingWriterParts
  /** Bytes of an earlier writer were not seen here; such a blob is read back. */
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
    // At once, while the chunk is surely as it was given; the order of calls is the order of bytes.
    if (this.#open && chunk instanceof Uint8Array) this.#parts.digester.update(chunk)
    await written
  }

  async commit(expected: CommitOptions = {}): Promise<BlobInfo> {
    const { writer, digester, algorithm } = this.#parts
    const { digest } = expected
    const answerable = this.#open && (digest === undefined || splitDigest(parseDigest(digest)).algorithm === algorithm)
    // What is refused for another reason than the bytes is refused by the store itself.
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
