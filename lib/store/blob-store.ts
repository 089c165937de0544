import type { Digest, HasherEngine } from '../digest/index.ts'
import type { AbortOptions } from '../internal/abort.ts'
import type { ByteSource } from '../internal/byte-source.ts'

/** A blob that is there, whole. */
export interface BlobInfo {
  /** Digest of its bytes. */
  readonly digest: Digest
  /** Number of its bytes. */
  readonly size: number
}

/** When a stored blob is checked against its digest while it is read as a whole. */
export type VerifyPolicy = 'always' | 'once-per-process' | 'never'

/**
 * What a read does about a blob that turns out to be corrupt, beside rejecting: nothing (`report`), or move it to where
 * damaged things are kept, so that the next pull brings it again (`quarantine`; only what was read through to its end, and
 * not in a read-only store).
 */
export type CorruptionPolicy = 'report' | 'quarantine'

/** Which part of a blob to read, and how. */
export interface ReadBlobOptions extends AbortOptions {
  /** First byte to read. Past the end gives no bytes. @defaultValue `0` */
  readonly offset?: number | undefined
  /** Number of bytes to read at most. @defaultValue up to the end */
  readonly length?: number | undefined
  /** @defaultValue what the store was opened with, `'always'` unless set */
  readonly verify?: VerifyPolicy | undefined
  /** @defaultValue what the store was opened with, `'report'` unless set */
  readonly onCorrupt?: CorruptionPolicy | undefined
}

/** Reads blobs by digest. */
export interface BlobReader {
  /** The blob's size if the store holds it, else `undefined`. Reads no content. */
  stat(digest: Digest, options?: AbortOptions): Promise<BlobInfo | undefined>

  /**
   * The bytes of a blob. Nothing is opened before the first `next`; leaving the loop early frees everything.
   *
   * A read of the whole blob is verified on the way (see {@link VerifyPolicy}): bytes handed out before the end are not
   * proven yet, the loop ends only if all of them were right. A part (`offset`, `length`) cannot be verified.
   *
   * @throws {@link BlobNotFoundError} `ERR_BLOB_NOT_FOUND`.
   * @throws {@link BlobCorruptError} `ERR_BLOB_CORRUPT`, at the end of the stream at the latest; what the system could not
   * read is `ERR_STORE_IO`, and no corruption.
   */
  read(digest: Digest, options?: ReadBlobOptions): AsyncIterable<Uint8Array>
}

/** What the bytes of an ingest are expected to be. */
export interface CommitOptions extends AbortOptions {
  /** Digest that the bytes must have. Its algorithm must be the one the ingest was opened with. */
  readonly digest?: Digest | undefined
  /** Number of bytes there must be; checked before the digest. */
  readonly size?: number | undefined
}

/**
 * One blob on its way in: `write` as often as needed, then `commit`; or `abort`; or just leave it (`await using`),
 * which keeps what was written where the store can resume.
 */
export interface BlobWriter extends AsyncDisposable {
  /** Bytes taken so far, those of an earlier writer of the same key included: write from here on. */
  readonly offset: number

  /** Takes the next bytes. Resolves when the store can take more; the buffer may be reused after that. */
  write(chunk: Uint8Array): Promise<void>

  /**
   * Makes the blob visible, whole and durable, or fails without a trace.
   *
   * Idempotent in effect: success means that the blob is stored, not that this call stored it. On a mismatch the bytes
   * written are dropped, so that nothing wrong can be resumed.
   *
   * @throws {@link SizeMismatchError} `ERR_SIZE_MISMATCH`, {@link DigestMismatchError} `ERR_DIGEST_MISMATCH`,
   * {@link StoreError} `ERR_STORE_IO`, `ERR_WRITER_CLOSED` after the first commit or abort.
   */
  commit(expected?: CommitOptions): Promise<BlobInfo>

  /** Drops the bytes written. May be called at any time, also twice. */
  abort(): Promise<void>
}

/** How to open an ingest. */
export interface IngestOptions extends AbortOptions {
  /** Wait while another writer of the same key is open, instead of rejecting with `ERR_INGEST_BUSY`. @defaultValue `false` */
  readonly wait?: boolean | undefined
  /** Size of the whole blob where it is known: what cannot fit on the disk is refused at once (`ERR_STORE_IO`, `ENOSPC`). */
  readonly size?: number | undefined
  /**
   * The digest to be computed is of this algorithm. If an earlier writer of the key computed another one, its bytes are read
   * back (or dropped, by a driver that cannot: `offset` decides). @defaultValue `'sha256'`
   */
  readonly algorithm?: 'sha256' | 'sha512' | 'blake3' | undefined
  /** What hashes. `native` cannot resume without reading back. @defaultValue what the store was opened with */
  readonly hasher?: HasherEngine | undefined
}

/** How far an unfinished ingest is. */
export interface IngestInfo {
  /** Bytes that a writer of this key would go on from; 0 if a writer is open and has not said yet. */
  readonly offset: number
  /** Whether a writer of the key is open now, in this process or another. */
  readonly busy: boolean
}

/** What {@link BlobStore.put} checks. */
export interface PutOptions extends CommitOptions {
  /** @defaultValue what the store was opened with */
  readonly hasher?: HasherEngine | undefined
}

/** Keeps every blob once, under its digest. */
export interface BlobStore extends BlobReader {
  /**
   * Stores the bytes of a source and says what they are. Idempotent. Memory does not grow with the size.
   *
   * @throws as {@link BlobWriter.commit}; whatever the source throws. Nothing is visible then.
   */
  put(source: ByteSource, options?: PutOptions): Promise<BlobInfo>

  /**
   * Begins writing a blob whose digest may not be known yet. Nothing is visible to readers until
   * {@link BlobWriter.commit} resolves.
   *
   * @param key - Names the unfinished write, usually the expected digest: any text of 1 to 512 characters. One key has
   * at most one open writer, in all processes.
   * @throws {@link StoreError} `ERR_STORE_READ_ONLY`, `ERR_INGEST_BUSY`.
   */
  ingest(key: string, options?: IngestOptions): Promise<BlobWriter>

  /**
   * What an earlier writer of a key and algorithm has left, and whether one is open; `undefined` if neither. A hint, which
   * changes nothing: the offset of a writer decides. A driver that cannot tell leaves it out.
   */
  statIngest?(key: string, options?: Omit<IngestOptions, 'wait' | 'hasher'>): Promise<IngestInfo | undefined>

  /** Removes a blob. Idempotent: success means that it is not there. Readers that have it open read on. */
  delete(digest: Digest, options?: AbortOptions): Promise<void>

  /** Every blob, each once, in no order. Blobs that come or go meanwhile may or may not be seen. */
  list(options?: AbortOptions): AsyncIterable<BlobInfo>
}
