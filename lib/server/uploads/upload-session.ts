import { type Digest, type DigestAlgorithm, splitDigest } from '../../digest/index.ts'
import type { BlobInfo, BlobWriter, Store } from '../../store/index.ts'
import { Fault } from '../fault.ts'
import { uploadHeaders } from './upload-headers.ts'

/**
 * What came since the last time is put down when a request ends with so much of it: then a server that is killed loses no more.
 * Of less it is not worth the sync.
 */
const WORTH_KEEPING = 1024 * 1024

/** Which upload it is. */
export interface UploadIdentity {
  readonly id: string
  /** The repository, as in paths. */
  readonly path: string
  /** What is computed while the bytes come. The digest that ends the upload may be of another one. */
  readonly algorithm: DigestAlgorithm
  /** Bytes that an earlier server has put down. */
  readonly kept: number
}

/** What holds for every upload. */
export interface SessionLimits {
  readonly minChunkBytes: number
  readonly idleMs: number
  readonly onEnd: () => void
  /** Takes a failure to drop the bytes of an upload that idled. */
  readonly onError: (error: unknown) => void
}

/** The key of an upload's ingest. Whoever knows repository and id may go on with it, also another server. */
export function ingestKey({ path, id }: Pick<UploadIdentity, 'path' | 'id'>): string {
  return `upload ${path} ${id}`
}

/** One upload. Only one request at a time may add to it. */
export class UploadSession {
  readonly id: string
  readonly path: string
  readonly minChunkBytes: number
  readonly #store: Store
  #algorithm: DigestAlgorithm
  readonly #limits: SessionLimits
  #writer: BlobWriter | undefined
  /** Bytes that are put down, for this server or the next. */
  #kept: number
  #busy = false
  #ended = false
  #isShort = false
  #idle: NodeJS.Timeout | undefined

  constructor(store: Store, { id, path, algorithm, kept }: UploadIdentity, limits: SessionLimits) {
    this.#store = store
    this.id = id
    this.path = path
    this.#algorithm = algorithm
    this.#kept = kept
    this.minChunkBytes = limits.minChunkBytes
    this.#limits = limits
    this.#waitForMore()
  }

  /** Bytes that have arrived. */
  get offset(): number {
    return this.#writer?.offset ?? this.#kept
  }

  /**
   * Adds what a request brings. If it breaks off, what came so far stays, and the client may go on from there.
   *
   * @param last - The algorithm of the digest that ends the upload, if nothing will come after these bytes: then nothing
   * needs to be put down, and if nothing has come before, only this digest is computed.
   */
  append(chunks: AsyncIterable<Uint8Array>, last?: DigestAlgorithm): Promise<void> {
    return this.#exclusively(async () => {
      if (this.#isShort) {
        const message = `only the last piece may have less than ${this.minChunkBytes} bytes`
        throw new Fault(416, { code: 'SIZE_INVALID', message })
      }
      if (last && this.offset === 0) await this.#compute(last)
      const writer = await this.#open()
      const before = writer.offset
      try {
        for await (const chunk of chunks) await writer.write(chunk)
        this.#isShort = writer.offset - before < this.minChunkBytes
      } finally {
        if (!last && writer.offset - this.#kept >= WORTH_KEEPING) await this.#keep()
      }
    })
  }

  /** Ends the upload: what has arrived becomes a blob if it has this digest, and is dropped if not. */
  commit(digest: Digest): Promise<BlobInfo> {
    return this.#exclusively(async () => {
      await this.#compute(splitDigest(digest).algorithm)
      const writer = await this.#open()
      try {
        return await writer.commit({ digest })
      } finally {
        this.#over()
      }
    })
  }

  /** Drops the upload and its bytes. A request that is adding to it fails with its next chunk. */
  async abort(): Promise<void> {
    this.#over()
    const writer = this.#writer ?? (this.#kept > 0 ? await this.#take() : undefined)
    await writer?.abort()
  }

  /** Ends the upload here, and leaves its bytes for another server. */
  async leave(): Promise<void> {
    this.#over()
    await this.#keep()
  }

  /** PERF: the file is closed as well; hundreds of uploads that wait for their clients hold none open. */
  async #keep(): Promise<void> {
    const writer = this.#writer
    if (!writer) return
    this.#kept = writer.offset
    this.#writer = undefined
    await writer[Symbol.asyncDispose]()
  }

  /**
   * Computes a digest of another algorithm from now on.
   *
   * SPEC: a client need not say before the last request which algorithm it has in mind (distribution-spec, end-6).
   * PERF: what has come is put down, and read back when the writer is opened again; only an upload that needs it pays.
   */
  async #compute(algorithm: DigestAlgorithm): Promise<void> {
    if (algorithm === this.#algorithm) return
    await this.#keep()
    this.#algorithm = algorithm
  }

  async #open(): Promise<BlobWriter> {
    if (this.#writer) return this.#writer
    const writer = await this.#take()
    this.#writer = writer
    // Aborted while it was being opened.
    if (this.#ended) await writer.abort()
    const lost = this.#kept - writer.offset
    this.#kept = writer.offset
    // What could not be put down is gone, and the client must know before it sends what comes after it.
    if (lost !== 0) {
      const message = `this upload is not where it was: ${lost} bytes of it are lost`
      throw new Fault(416, { code: 'BLOB_UPLOAD_INVALID', message }, uploadHeaders(this))
    }
    return writer
  }

  #take(): Promise<BlobWriter> {
    return this.#store.ingest(ingestKey(this), { algorithm: this.#algorithm })
  }

  async #exclusively<T>(work: () => Promise<T>): Promise<T> {
    if (this.#busy) {
      throw new Fault(409, { code: 'BLOB_UPLOAD_INVALID', message: 'another request is adding to this upload' })
    }
    this.#busy = true
    clearTimeout(this.#idle)
    try {
      return await work()
    } finally {
      this.#busy = false
      this.#waitForMore()
    }
  }

  #waitForMore(): void {
    if (this.#ended) return
    // The store sweeps what cannot be dropped when it is opened.
    this.#idle = setTimeout(() => void this.abort().catch(this.#limits.onError), this.#limits.idleMs)
    this.#idle.unref()
  }

  #over(): void {
    this.#ended = true
    clearTimeout(this.#idle)
    this.#limits.onEnd()
  }
}
