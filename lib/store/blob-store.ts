import type { Digest, FileLender, HasherEngine } from '../digest/index.ts'
import type { AbortOptions } from '../internal/abort.ts'
import type { ByteSource } from '../internal/byte-source.ts'

/** A complete blob in a store. */
export interface BlobInfo {
  /** Digest of the blob. */
  readonly digest: Digest
  /** Size in bytes. */
  readonly size: number
}

/** When a read of a whole blob is verified against its digest. */
export type VerifyPolicy = 'always' | 'once-per-process' | 'never'

/**
 * Handling of a corrupt blob by a read, besides rejecting:
 *
 * - `report`: leave the blob in place.
 * - `quarantine`: move the blob to the quarantine directory, so that the next pull fetches it again. Applies to reads
 *   of the whole blob, in a writable store.
 */
export type CorruptionPolicy = 'report' | 'quarantine'

/** Options of a blob read. */
export interface ReadBlobOptions extends AbortOptions {
  /** Offset of the first byte. An offset past the end yields no bytes. @defaultValue `0` */
  readonly offset?: number | undefined
  /** Maximum number of bytes to read. @defaultValue up to the end */
  readonly length?: number | undefined
  /** Verification policy. @defaultValue the option of the store, `'always'` unless set */
  readonly verify?: VerifyPolicy | undefined
  /** Handling of a corrupt blob. @defaultValue the option of the store, `'report'` unless set */
  readonly onCorrupt?: CorruptionPolicy | undefined
  /**
   * Let the store reuse the memory of chunks: a chunk is valid until the caller asks for the next one or leaves the
   * loop. A store may ignore it. @defaultValue `false`
   */
  readonly borrow?: boolean | undefined
}

/** Reads blobs by digest. */
export interface BlobReader {
  /** Resolves to the blob's size if the store holds it, else to `undefined`. Reads no content. */
  stat(digest: Digest, options?: AbortOptions): Promise<BlobInfo | undefined>

  /**
   * Reads the bytes of a blob. Opens nothing before the first `next`; leaving the loop early releases everything.
   *
   * A read of the whole blob is verified as it runs (see {@link VerifyPolicy}): the loop ends only if all bytes match
   * the digest, so bytes yielded before the end are not verified yet. A partial read (`offset`, `length`) cannot be
   * verified.
   *
   * @throws {@link BlobNotFoundError} `ERR_BLOB_NOT_FOUND`.
   * @throws {@link BlobCorruptError} `ERR_BLOB_CORRUPT`, at the latest at the end of the stream. A failed read by the
   * system is `ERR_STORE_IO`, not a corrupt blob.
   */
  read(digest: Digest, options?: ReadBlobOptions): AsyncIterable<Uint8Array>

  /**
   * Reads a blob like `read`, for a caller that lets a worker thread read the file: the chunks are {@link LentBytes}.
   * The thread verifies a whole blob before it passes the last bytes on. Absent if the store has no files.
   *
   * @throws {@link BlobNotFoundError} and {@link BlobCorruptError}, like `read`; {@link FormatError}
   * `ERR_INVALID_ARGUMENT` if no thread has read the bytes that were to be verified.
   */
  readLent?(digest: Digest, options?: ReadBlobOptions): AsyncIterable<Uint8Array>
}

/** Expected digest and size of an ingest. */
export interface CommitOptions extends AbortOptions {
  /** Digest that the bytes must have. Its algorithm must be the one that the ingest was opened with. */
  readonly digest?: Digest | undefined
  /** Expected number of bytes; checked before the digest. */
  readonly size?: number | undefined
}

/**
 * Writer of one blob. Call `write` repeatedly, then `commit` or `abort`. Disposing it (`await using`) without either
 * keeps the bytes written, if the store can resume.
 */
export interface BlobWriter extends AsyncDisposable {
  /**
   * Number of bytes accepted, including those of an earlier writer of the same key: continue writing at this offset.
   */
  readonly offset: number

  /** Lends the file of the blob to a worker thread; absent if the store has no file for it. */
  readonly lender?: FileLender | undefined

  /** Writes the next bytes. Resolves when the store can accept more; the buffer may be reused then. */
  write(chunk: Uint8Array): Promise<void>

  /**
   * Makes the blob visible, complete and durable, or fails and leaves nothing visible.
   *
   * Idempotent in effect: success means that the blob is stored, not that this call stored it. On a mismatch the bytes
   * written are discarded, so that no wrong bytes can be resumed.
   *
   * @throws {@link SizeMismatchError} `ERR_SIZE_MISMATCH`, {@link DigestMismatchError} `ERR_DIGEST_MISMATCH`,
   * {@link StoreError} `ERR_STORE_IO`, `ERR_WRITER_CLOSED` after the first commit or abort.
   */
  commit(expected?: CommitOptions): Promise<BlobInfo>

  /** Discards the bytes written. Idempotent; may be called at any time. */
  abort(): Promise<void>
}

/** Options of an ingest. */
export interface IngestOptions extends AbortOptions {
  /**
   * Wait while another writer of the key is open, instead of rejecting with `ERR_INGEST_BUSY`. @defaultValue `false`
   */
  readonly wait?: boolean | undefined
  /**
   * Size of the whole blob, if known: a blob that cannot fit on the disk is refused at once (`ERR_STORE_IO`, `ENOSPC`).
   */
  readonly size?: number | undefined
  /**
   * Algorithm of the digest to compute. If an earlier writer of the key used another algorithm, the store reads its
   * bytes back; a driver that cannot do so discards them (see `offset`). @defaultValue `'sha256'`
   */
  readonly algorithm?: 'sha256' | 'sha512' | 'blake3' | undefined
  /** Hash engine. `native` cannot resume without reading the bytes back. @defaultValue the option of the store */
  readonly hasher?: HasherEngine | undefined
}

/** Progress of an unfinished ingest. */
export interface IngestInfo {
  /** Offset at which a writer of this key would continue; 0 if an open writer has saved no progress yet. */
  readonly offset: number
  /** Whether a writer of the key is open, in this process or another. */
  readonly busy: boolean
}

/** Options of {@link BlobStore.put}. */
export interface PutOptions extends CommitOptions {
  /** Hash engine. @defaultValue the option of the store */
  readonly hasher?: HasherEngine | undefined
}

/** Stores each blob once, under its digest. */
export interface BlobStore extends BlobReader {
  /**
   * Stores the bytes of a source and resolves to their digest and size. Idempotent. Memory use does not depend on the
   * size.
   *
   * @throws as {@link BlobWriter.commit}, and any error of the source. Nothing is visible then.
   */
  put(source: ByteSource, options?: PutOptions): Promise<BlobInfo>

  /**
   * Starts writing a blob whose digest may still be unknown. Readers see nothing until {@link BlobWriter.commit}
   * resolves.
   *
   * @param key - Identifies the unfinished write, usually the expected digest: any text of 1 to 512 characters. A key
   * has at most one open writer, across all processes.
   * @throws {@link StoreError} `ERR_STORE_READ_ONLY`, `ERR_INGEST_BUSY`.
   */
  ingest(key: string, options?: IngestOptions): Promise<BlobWriter>

  /**
   * Resolves to the progress that an earlier writer of a key and algorithm has saved, and whether a writer is open;
   * `undefined` if neither exists. A hint without side effects: the `offset` of a writer is authoritative. Absent in
   * drivers that cannot tell.
   */
  statIngest?(key: string, options?: Omit<IngestOptions, 'wait' | 'hasher'>): Promise<IngestInfo | undefined>

  /** Removes a blob. Idempotent: success means that the blob does not exist. Open reads continue. */
  delete(digest: Digest, options?: AbortOptions): Promise<void>

  /** Lists every blob once, in no order. A blob that is added or removed meanwhile may or may not be listed. */
  list(options?: AbortOptions): AsyncIterable<BlobInfo>
}
