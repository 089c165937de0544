import {
  type DigestAlgorithm,
  type DigestCheckpoint,
  type FileBorrower,
  type FileLender,
  type FileLoan,
  type HasherEngine,
  parseDigest,
  type ReturnedFile,
  restoreStreamDigester,
  type StreamDigester,
  splitDigest,
  TakenBytes,
  type WriterRefusal,
} from '../../digest/index.ts'
import { DigestMismatchError, FormatError, SizeMismatchError, StoreError } from '../../errors/index.ts'
import type { BlobInfo, BlobWriter, CommitOptions } from '../blob-store.ts'
import { BlockGatherer, WRITE_BLOCK_BYTES } from './block-gatherer.ts'
import { type IngestDigester, IngestLoan, KnownDigest } from './ingest-loan.ts'

/** Progress of an ingest. */
export interface Progress {
  /** Number of bytes accepted. */
  readonly offset: number
  /** State of the hasher at the offset; absent if the hasher cannot save it. */
  readonly checkpoint: DigestCheckpoint | undefined
}

/** File of an ingest that a thread can append to. */
export interface IngestFile {
  /** Number of the open descriptor. */
  readonly fd: number
  /** A thread has written the bytes up to a position, the last ones at `writtenMs` (since 1970). */
  moved(position: number, writtenMs: number | undefined): void
  /** Converts an error of a write to that of the driver. */
  fault(cause: Error): unknown
  /** Reads the first `bytes` back and hashes them. */
  readBack(bytes: number, hashing: { algorithm: DigestAlgorithm; hasher: HasherEngine }): Promise<StreamDigester>
}

/**
 * The driver's part of a writer: destination of the bytes, in large pieces except the last one. Calls never overlap;
 * the last call is `publish`, `keep` or `drop`.
 */
export interface IngestSink {
  /** Whether a later writer can continue after `keep`; otherwise `keep` may drop the bytes. @defaultValue true */
  readonly isResumable?: boolean | undefined
  /** The file of the bytes; absent if a thread cannot append to it. */
  readonly file?: IngestFile | undefined
  /** Appends bytes. They must not change until the promise settles. */
  append(chunk: Uint8Array): Promise<void>
  /** Called after each append. The driver may save the progress so that it survives the process. */
  advance(offset: number, progress: () => Promise<Progress>): Promise<void>
  /** Makes the bytes visible and durable. Rejects with the signal's reason only while nothing is visible yet. */
  publish(blob: BlobInfo, signal: AbortSignal | undefined): Promise<void>
  /** Keeps the bytes for a later writer. Without `progress`, keeps those up to the last saved `advance`. */
  keep(progress: Progress | undefined): Promise<void>
  /** Removes all bytes and state of the ingest. */
  drop(): Promise<void>
}

/** Parts of an {@link IngestWriter}. */
export interface IngestWriterParts {
  /** The driver's part of the writer. */
  readonly sink: IngestSink
  /** Hashes the bytes. */
  readonly digester: StreamDigester
  /** Algorithm of the digest. */
  readonly algorithm: DigestAlgorithm
  /** Engine of the digester. */
  readonly hasher: HasherEngine
  /** Called once, after the last write. */
  readonly onClosed: () => void
}

/** A blob writer over a driver's sink: hashes the bytes, verifies size and digest, publishes the blob. */
export class IngestWriter implements BlobWriter, FileLender {
  readonly #parts: IngestWriterParts
  readonly #gathered = new BlockGatherer()
  /** Completion of the last block passed on; the writer gathers the next block meanwhile. */
  #behind: Promise<void> = Promise.resolve()
  #offset: number
  #digester: IngestDigester
  #loan: IngestLoan | undefined
  #open = true
  #ending = false
  #failure: WriterRefusal | undefined
  #tail: Promise<unknown> = Promise.resolve()

  constructor(parts: IngestWriterParts) {
    this.#parts = parts
    this.#digester = parts.digester
    this.#offset = parts.digester.bytesHashed
  }

  get offset(): number {
    return this.#offset
  }

  write(chunk: Uint8Array): Promise<void> {
    return this.#inTurn(async () => {
      this.#assertUsable()
      if (chunk instanceof TakenBytes) return this.#count(chunk.byteLength)
      if (!(chunk instanceof Uint8Array)) throw new FormatError('ERR_INVALID_ARGUMENT', 'a chunk must be bytes')
      if (chunk.byteLength >= WRITE_BLOCK_BYTES / 2) await this.#takeWhole(chunk)
      else await this.#gather(chunk)
      this.#offset += chunk.byteLength
    })
  }

  /** Counts bytes that a thread has appended to the lent file. */
  async #count(bytes: number): Promise<void> {
    this.#offset += bytes
    await this.#parts.sink.advance(this.#offset, () => this.#progress())
  }

  /** This writer, if its driver has a file. */
  get lender(): FileLender | undefined {
    return this.#parts.sink.file && this
  }

  /** False also if the hash of earlier bytes cannot be sent to a thread. */
  get canLend(): boolean {
    const isFree = this.#open && !this.#ending && !this.#failure && !this.#loan
    const canMove = this.#parts.hasher !== 'native' || this.#offset === 0
    return isFree && canMove && this.#parts.sink.file !== undefined
  }

  /** Lends the file; see {@link FileLender}. */
  lend(borrower: FileBorrower): Promise<FileLoan> {
    return this.#inTurn(async () => {
      this.#assertUsable()
      if (!this.canLend) throw new FormatError('ERR_INVALID_ARGUMENT', 'the file of this writer cannot be lent')
      await this.#flush()
      const { algorithm, hasher, sink } = this.#parts
      const position = this.#digester.bytesHashed
      const checkpoint = position === 0 ? undefined : await this.#digester.save()
      this.#digester.release()
      const file = { fd: sink.file!.fd, algorithm, hasher, position, checkpoint }
      this.#loan = new IngestLoan(file, borrower, returned => this.#takeBack(returned))
      return this.#loan
    })
  }

  /** Resolves to the reason why the writer takes no more bytes. */
  async #takeBack(returned: ReturnedFile): Promise<WriterRefusal | undefined> {
    const { file } = this.#parts.sink
    try {
      if (returned.lost) throw returned.lost
      this.#digester = await this.#digesterOf(returned)
      file!.moved(returned.position, returned.writtenMs)
      if (returned.fault) throw file!.fault(returned.fault)
    } catch (reason) {
      this.#failure ??= { reason }
    }
    this.#loan = undefined
    return this.#failure ?? (this.#ending ? { reason: closedError() } : undefined)
  }

  async #digesterOf({ position, checkpoint, digest }: ReturnedFile): Promise<IngestDigester> {
    if (checkpoint) return restoreStreamDigester(checkpoint)
    const { algorithm, hasher, sink } = this.#parts
    const readBack = () => sink.file!.readBack(position, { algorithm, hasher })
    return digest ? new KnownDigest({ bytes: position, digest }, readBack) : readBack()
  }

  /** PERF: a large chunk is not copied; `write` settles when the sink and the digester no longer use it. */
  async #takeWhole(chunk: Uint8Array): Promise<void> {
    await this.#flush()
    await this.#take(chunk)
  }

  async #gather(chunk: Uint8Array): Promise<void> {
    for (let at = 0; at < chunk.byteLength; ) {
      const taken = this.#gathered.add(at === 0 ? chunk : chunk.subarray(at))
      at += taken
      if (this.#gathered.filled >= WRITE_BLOCK_BYTES) await this.#passOn()
    }
  }

  /** Waits for the previous block, then passes on the current one without waiting. A failure rejects the next call. */
  async #passOn(): Promise<void> {
    await this.#behind
    const { value, release } = this.#gathered.take()
    this.#behind = this.#take(value).finally(release)
    this.#behind.catch(() => undefined)
  }

  async #flush(): Promise<void> {
    if (this.#gathered.filled > 0) await this.#passOn()
    await this.#behind
  }

  async #take(chunk: Uint8Array): Promise<void> {
    const { sink } = this.#parts
    const digester = this.#digester
    try {
      // PERF: the driver writes the bytes while they are hashed, for long streams on a worker thread.
      await settleBoth(sink.append(chunk), digester.update(chunk))
      await sink.advance(digester.bytesHashed, () => this.#progress())
    } catch (reason) {
      this.#failure ??= { reason }
      throw reason
    }
  }

  commit(expected: CommitOptions = {}): Promise<BlobInfo> {
    return this.#inTurn(async () => {
      this.#assertUsable()
      expected.signal?.throwIfAborted()
      this.#checkAlgorithm(expected)
      await this.#loan?.recall()
      await this.#flush()
      // PERF: the state of the hash is saved for nothing but a commit that is aborted.
      const progress = this.#parts.sink.isResumable === false ? undefined : await this.#progress()
      try {
        const blob = await this.#prove(expected)
        await this.#parts.sink.publish(blob, expected.signal)
        return blob
      } catch (error) {
        // The caller needs the first error; the sweep removes what `drop` could not.
        const stopped = expected.signal?.aborted && error === expected.signal.reason
        await (stopped ? this.#parts.sink.keep(progress) : this.#parts.sink.drop()).catch(() => undefined)
        throw error
      } finally {
        this.#close()
      }
    })
  }

  #checkAlgorithm({ digest }: CommitOptions): void {
    const { algorithm } = this.#parts
    if (digest === undefined || splitDigest(parseDigest(digest)).algorithm === algorithm) return
    throw new FormatError('ERR_INVALID_ARGUMENT', `the ingest computes ${algorithm}, but ${digest} is expected`)
  }

  async #prove({ size, digest }: CommitOptions): Promise<BlobInfo> {
    if (size !== undefined && size !== this.offset) {
      throw new SizeMismatchError({ expected: size, actual: this.offset, what: digest ? `blob ${digest}` : 'blob' })
    }
    if (this.#digester.bytesHashed !== this.#offset) {
      throw new FormatError('ERR_INVALID_ARGUMENT', 'the writer was given TakenBytes that no thread has appended')
    }
    const actual = await this.#digester.digest()
    if (digest !== undefined && digest !== actual) {
      throw new DigestMismatchError({ expected: digest, actual, what: 'blob' })
    }
    return { digest: actual, size: this.offset }
  }

  abort(): Promise<void> {
    return this.#end(sink => sink.drop())
  }

  /** Keeps the bytes written for a later writer, if the driver can. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.#end(async sink => {
      // `#failure` records an error of the flush; earlier progress is kept, and these bytes are not counted.
      await this.#flush().catch(() => undefined)
      await sink.keep(this.#failure ? undefined : await this.#progress())
    })
  }

  #end(last: (sink: IngestSink) => Promise<void>): Promise<void> {
    return this.#inTurn(async () => {
      if (!this.#open) return
      this.#ending = true
      try {
        // SAFETY: the driver closes the file next; no thread may write to it then.
        await this.#loan?.recall()
        await this.#behind.catch(() => undefined)
        await last(this.#parts.sink)
      } finally {
        this.#close()
      }
    })
  }

  #close(): void {
    this.#open = false
    this.#gathered.clear()
    this.#digester.release()
    this.#parts.onClosed()
  }

  /** Progress of the bytes passed on, at the moment of the call. */
  async #progress(): Promise<Progress> {
    if (this.#loan) {
      const { position, checkpoint } = await this.#loan.progress()
      return { offset: position, checkpoint }
    }
    const digester = this.#digester
    const offset = digester.bytesHashed
    return { offset, checkpoint: this.#parts.hasher === 'native' ? undefined : await digester.save() }
  }

  #assertUsable(): void {
    if (!this.#open) throw closedError()
    if (this.#failure) throw this.#failure.reason
  }

  #inTurn<T>(act: () => Promise<T>): Promise<T> {
    const done = this.#tail.then(act)
    this.#tail = done.catch(() => undefined)
    return done
  }
}

function closedError(): StoreError {
  return new StoreError('ERR_WRITER_CLOSED', 'this writer has been committed, aborted or closed')
}

/** Waits for both promises before rejecting: neither half may still use the bytes when the other has failed. */
async function settleBoth(...halves: readonly Promise<void>[]): Promise<void> {
  for (const half of await Promise.allSettled(halves)) if (half.status === 'rejected') throw half.reason
}
