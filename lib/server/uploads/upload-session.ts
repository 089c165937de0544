import { type Digest, type DigestAlgorithm, splitDigest } from '../../digest/index.ts'
import { abortableItems } from '../../internal/abortable-items.ts'
import type { BlobInfo, BlobWriter, Store } from '../../store/index.ts'
import { Fault, isStorageFull } from '../fault.ts'
import { uploadHeaders } from './upload-headers.ts'

/**
 * What came since the last time is put down when a request ends with so much of it: then a server that is killed loses no more.
 * Of less it is not worth the sync.
 */
const WORTH_KEEPING = 1024 * 1024

/** The file of an upload is closed when no request has come for so long. Most clients send the next one at once. */
const OPEN_MS = 5000

/** A request that has brought nothing for so long does not keep its upload from being dropped for another one. */
const STALL_MS = 10_000

/** Which upload it is. */
export interface UploadIdentity {
  readonly id: string
  /** The repository, as in paths. */
  readonly path: string
  /** The client that began it, or went on with it first. */
  readonly client: string
  /** What is computed while the bytes come. The digest that ends the upload may be of another one. */
  readonly algorithm: DigestAlgorithm
  /** Bytes that an earlier server has put down. */
  readonly kept: number
}

/** What holds for every upload. */
export interface SessionLimits {
  readonly minChunkBytes: number
  readonly idleMs: number
  readonly emptyIdleMs: number
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
  readonly client: string
  readonly minChunkBytes: number
  readonly #store: Store
  #algorithm: DigestAlgorithm
  readonly #limits: SessionLimits
  #writer: BlobWriter | undefined
  /** Bytes that are put down, for this server or the next. */
  #kept: number
  /** When the request began that is adding to it. */
  #busySince: number | undefined
  /** Fires when the upload has ended. */
  readonly #ended = new AbortController()
  #isShort = false
  #idle: NodeJS.Timeout | undefined
  #open: NodeJS.Timeout | undefined
  /** Resolves when the writer is closed. */
  #closing: PromiseLike<void> | undefined

  constructor(store: Store, { id, path, client, algorithm, kept }: UploadIdentity, limits: SessionLimits) {
    this.#store = store
    this.id = id
    this.path = path
    this.client = client
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

  /** Whether no byte has come and none is coming: then its client loses nothing but the address. */
  get isEmpty(): boolean {
    const isStalled = this.#busySince === undefined || performance.now() - this.#busySince > STALL_MS
    return this.offset === 0 && isStalled
  }

  /**
   * Adds what a request brings. If it breaks off, what came so far is put down, and the client may go on from there. If the
   * disk becomes full, the upload is dropped, which gives its space back.
   *
   * @param bytes - How many will come, where the request says so: what cannot fit is refused before the first of them.
   * @param last - The algorithm of the digest that ends the upload, if nothing will come after these bytes: then nothing
   * needs to be put down, and if nothing has come before, only this digest is computed.
   */
  append(
    chunks: AsyncIterable<Uint8Array>,
    { bytes = 0, last }: { readonly bytes?: number | undefined; readonly last?: DigestAlgorithm | undefined },
  ): Promise<void> {
    return this.#exclusively(async () => {
      if (this.#isShort) {
        const message = `only the last piece may have less than ${this.minChunkBytes} bytes`
        throw new Fault(416, { code: 'SIZE_INVALID', message })
      }
      if (last && this.offset === 0) await this.#compute(last)
      // Only an opening writer asks whether there is room.
      if (bytes >= WORTH_KEEPING) await this.#keep()
      await this.#write(await this.#opened(bytes), chunks)
      if (!last && this.offset - this.#kept >= WORTH_KEEPING) await this.#keep()
    })
  }

  async #write(writer: BlobWriter, chunks: AsyncIterable<Uint8Array>): Promise<void> {
    const before = writer.offset
    try {
      for await (const chunk of abortableItems(chunks, this.#ended.signal)) await writer.write(chunk)
    } catch (error) {
      if (isStorageFull(error)) await this.abort()
      // What cannot be put down is found to be missing when the client goes on.
      else await this.#keep().catch(this.#limits.onError)
      throw error
    }
    this.#isShort = writer.offset - before < this.minChunkBytes
  }

  /** Ends the upload: what has arrived becomes a blob if it has this digest, and is dropped if not. */
  commit(digest: Digest): Promise<BlobInfo> {
    return this.#exclusively(async () => {
      await this.#compute(splitDigest(digest).algorithm)
      const writer = await this.#opened()
      try {
        return await writer.commit({ digest })
      } finally {
        this.#over()
      }
    })
  }

  /** Drops the upload and its bytes. A request that is adding to it fails. */
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
    this.#closing = writer[Symbol.asyncDispose]()
    await this.#closing
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

  /** `bytes` are to come. */
  async #opened(bytes = 0): Promise<BlobWriter> {
    if (this.#writer) return this.#writer
    const writer = await this.#take(this.offset + bytes)
    this.#writer = writer
    // Aborted while it was being opened.
    if (this.#ended.signal.aborted) await writer.abort()
    const lost = this.#kept - writer.offset
    this.#kept = writer.offset
    // What could not be put down is gone, and the client must know before it sends what comes after it.
    if (lost !== 0) {
      const message = `this upload is not where it was: ${lost} bytes of it are lost`
      throw new Fault(416, { code: 'BLOB_UPLOAD_INVALID', message }, uploadHeaders(this))
    }
    return writer
  }

  async #take(size?: number): Promise<BlobWriter> {
    await this.#closing?.then(undefined, () => {})
    return this.#store.ingest(ingestKey(this), { algorithm: this.#algorithm, size })
  }

  async #exclusively<T>(work: () => Promise<T>): Promise<T> {
    if (this.#busySince !== undefined) {
      throw new Fault(409, { code: 'BLOB_UPLOAD_INVALID', message: 'another request is adding to this upload' })
    }
    this.#busySince = performance.now()
    this.#stopTimers()
    try {
      return await work()
    } finally {
      this.#busySince = undefined
      this.#waitForMore()
    }
  }

  #waitForMore(): void {
    if (this.#ended.signal.aborted) return
    const { idleMs, emptyIdleMs, onError } = this.#limits
    const dropMs = this.offset === 0 ? Math.min(emptyIdleMs, idleMs) : idleMs
    // The store sweeps what cannot be dropped when it is opened.
    this.#idle = setTimeout(() => void this.abort().catch(onError), dropMs).unref()
    if (this.#writer) this.#open = setTimeout(() => void this.#keep().catch(onError), OPEN_MS).unref()
  }

  #stopTimers(): void {
    clearTimeout(this.#idle)
    clearTimeout(this.#open)
  }

  #over(): void {
    this.#ended.abort(new Fault(404, { code: 'BLOB_UPLOAD_UNKNOWN', message: 'this upload was dropped' }))
    this.#stopTimers()
    this.#limits.onEnd()
  }
}
