import {
  type DigestAlgorithm,
  type DigestCheckpoint,
  type HasherEngine,
  parseDigest,
  type StreamDigester,
  splitDigest,
} from '../../digest/index.ts'
import { DigestMismatchError, FormatError, SizeMismatchError, StoreError } from '../../errors/index.ts'
import type { BlobInfo, BlobWriter, CommitOptions } from '../blob-store.ts'
import { BlockGatherer, WRITE_BLOCK_BYTES } from './block-gatherer.ts'

/** Progress of an ingest. */
export interface Progress {
  /** Number of bytes accepted. */
  readonly offset: number
  /** State of the hasher at the offset; absent if the hasher cannot save it. */
  readonly checkpoint: DigestCheckpoint | undefined
}

/**
 * The driver's part of a writer: destination of the bytes, in large pieces except the last one. Calls never overlap;
 * the last call is `publish`, `keep` or `drop`.
 */
export interface IngestSink {
  /** Whether a later writer can continue after `keep`; otherwise `keep` may drop the bytes. @defaultValue true */
  readonly isResumable?: boolean | undefined
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
export class IngestWriter implements BlobWriter {
  readonly #parts: IngestWriterParts
  readonly #gathered = new BlockGatherer()
  /** Completion of the last block passed on; the writer gathers the next block meanwhile. */
  #behind: Promise<void> = Promise.resolve()
  #offset: number
  #open = true
  #failure: { readonly reason: unknown } | undefined
  #tail: Promise<unknown> = Promise.resolve()

  constructor(parts: IngestWriterParts) {
    this.#parts = parts
    this.#offset = parts.digester.bytesHashed
  }

  get offset(): number {
    return this.#offset
  }

  write(chunk: Uint8Array): Promise<void> {
    return this.#inTurn(async () => {
      this.#assertUsable()
      if (!(chunk instanceof Uint8Array)) throw new FormatError('ERR_INVALID_ARGUMENT', 'a chunk must be bytes')
      if (chunk.byteLength >= WRITE_BLOCK_BYTES / 2) await this.#takeWhole(chunk)
      else await this.#gather(chunk)
      this.#offset += chunk.byteLength
    })
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
    const { sink, digester } = this.#parts
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
    const actual = await this.#parts.digester.digest()
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
      try {
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
    this.#parts.digester.release()
    this.#parts.onClosed()
  }

  /** Progress of the bytes passed on, at the moment of the call. */
  async #progress(): Promise<Progress> {
    const { digester, hasher } = this.#parts
    const offset = digester.bytesHashed
    return { offset, checkpoint: hasher === 'native' ? undefined : await digester.save() }
  }

  #assertUsable(): void {
    if (!this.#open) throw new StoreError('ERR_WRITER_CLOSED', 'this writer has been committed, aborted or closed')
    if (this.#failure) throw this.#failure.reason
  }

  #inTurn<T>(act: () => Promise<T>): Promise<T> {
    const done = this.#tail.then(act)
    this.#tail = done.catch(() => undefined)
    return done
  }
}

/** Waits for both promises before rejecting: neither half may still use the bytes when the other has failed. */
async function settleBoth(...halves: readonly Promise<void>[]): Promise<void> {
  for (const half of await Promise.allSettled(halves)) if (half.status === 'rejected') throw half.reason
}
