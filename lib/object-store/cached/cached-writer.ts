import type { BlobInfo, BlobWriter, CommitOptions } from '../../store/index.ts'

/** Writes a blob to the cache, and uploads it when it is complete. */
export class CachedWriter implements BlobWriter {
  readonly #writer: BlobWriter
  readonly #upload: (blob: BlobInfo, signal: AbortSignal | undefined) => Promise<void>

  constructor(writer: BlobWriter, upload: (blob: BlobInfo, signal: AbortSignal | undefined) => Promise<void>) {
    this.#writer = writer
    this.#upload = upload
  }

  get offset(): number {
    return this.#writer.offset
  }

  write(chunk: Uint8Array): Promise<void> {
    return this.#writer.write(chunk)
  }

  async commit(expected: CommitOptions = {}): Promise<BlobInfo> {
    const blob = await this.#writer.commit(expected)
    await this.#upload(blob, expected.signal)
    return blob
  }

  abort(): Promise<void> {
    return this.#writer.abort()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#writer[Symbol.asyncDispose]() as Promise<void>
  }
}
