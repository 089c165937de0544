import { type Digest, type DigestAlgorithm, splitDigest } from '../../digest/index.ts'
import { abortableItems } from '../../internal/abortable-items.ts'
import type { BlobInfo, BlobWriter, Store } from '../../store/index.ts'
import { Fault, isStorageFull } from '../fault.ts'
import { uploadHeaders } from './upload-headers.ts'

/**
 * Unsaved bytes from which on the end of a request saves the upload to disk; a killed server loses no more than this.
 * For fewer bytes the fsync is not worth its time.
 */
const SAVE_BYTES = 1024 * 1024

/** Idle time after which the file of an upload is closed. Most clients send the next request at once. */
const OPEN_MS = 5000

/** Age from which on a request that has brought no byte no longer protects its upload from replacement. */
const STALL_MS = 10_000

/** Identity and state of an upload when its session begins. */
export interface UploadIdentity {
  readonly id: string
  /** Repository, as named in paths. */
  readonly path: string
  /** Key of the client that started the upload, or was the first to resume it at this server. */
  readonly client: string
  /** Algorithm of the digest that is computed while bytes arrive. The final digest may be of another algorithm. */
  readonly algorithm: DigestAlgorithm
  /** Bytes that an earlier server has saved. */
  readonly saved: number
  /** Whether the last chunk was shorter than `minChunkBytes`, so that none may follow. @defaultValue false */
  readonly isShort?: boolean | undefined
}

/** Limits and callbacks of all uploads of a server. */
export interface SessionLimits {
  readonly minChunkBytes: number
  readonly idleMs: number
  readonly emptyIdleMs: number
  readonly onEnd: () => void
  /** Whether each request ends the session and leaves its bytes in the store, for any server. */
  readonly isShared: boolean
  /** Called if the bytes of an idle upload cannot be saved or dropped. */
  readonly onError: (error: unknown) => void
}

/** Key of an upload's ingest. A client that knows repository and id can resume the upload, at another server, too. */
export function ingestKey({ path, id }: Pick<UploadIdentity, 'path' | 'id'>): string {
  return `upload ${path} ${id}`
}

/** One upload. Only one request at a time may write to it. */
export class UploadSession {
  readonly id: string
  readonly path: string
  readonly client: string
  readonly minChunkBytes: number
  readonly #store: Store
  #algorithm: DigestAlgorithm
  readonly #limits: SessionLimits
  #writer: BlobWriter | undefined
  /** Bytes on disk; this or another server can resume after them. */
  #saved: number
  /** Start of the request that is writing to the upload. */
  #busySince: number | undefined
  /** Fires when the upload has ended. */
  readonly #ended = new AbortController()
  #isShort: boolean
  #idle: NodeJS.Timeout | undefined
  #open: NodeJS.Timeout | undefined
  /** Resolves when the previous writer is closed. */
  #closing: PromiseLike<void> | undefined

  constructor(store: Store, identity: UploadIdentity, limits: SessionLimits) {
    const { id, path, client, algorithm, saved, isShort = false } = identity
    this.#store = store
    this.id = id
    this.path = path
    this.client = client
    this.#algorithm = algorithm
    this.#saved = saved
    this.#isShort = isShort
    this.minChunkBytes = limits.minChunkBytes
    this.#limits = limits
    this.#startTimers()
  }

  /** Bytes that have arrived. */
  get offset(): number {
    return this.#writer?.offset ?? this.#saved
  }

  /** Whether a request is writing to the upload. */
  get isBusy(): boolean {
    return this.#busySince !== undefined
  }

  /** Whether the next request may reach another server without a message. */
  get isShared(): boolean {
    return this.#limits.isShared
  }

  /** State for another server, which continues the upload after {@link suspend}. */
  get state(): Pick<UploadIdentity, 'algorithm' | 'saved'> & { readonly isShort: boolean } {
    return { algorithm: this.#algorithm, saved: this.#saved, isShort: this.#isShort }
  }

  /** Whether the upload has no byte and no request is sending any. Dropping it costs its client only the address. */
  get isEmpty(): boolean {
    const isStalled = this.#busySince === undefined || performance.now() - this.#busySince > STALL_MS
    return this.offset === 0 && isStalled
  }

  /**
   * Appends the body of a request. If the body breaks off, the bytes received so far are saved, and the client may
   * resume after them. If the disk is full, the upload is dropped and its space is released.
   *
   * @param bytes - Announced size of the body, if known: a body that does not fit on the disk is refused before its
   * first byte.
   * @param last - Algorithm of the final digest, if no bytes follow this body. Then nothing is saved, and if the upload
   * is empty, only this digest is computed.
   */
  append(
    chunks: AsyncIterable<Uint8Array>,
    { bytes = 0, last }: { readonly bytes?: number | undefined; readonly last?: DigestAlgorithm | undefined },
  ): Promise<void> {
    return this.#exclusively(async () => {
      if (this.#isShort) {
        const message = `only the last chunk may have fewer than ${this.minChunkBytes} bytes`
        throw new Fault(416, { code: 'SIZE_INVALID', message })
      }
      if (last && this.offset === 0) await this.#useAlgorithm(last)
      // The free space is checked only when a writer is opened.
      if (bytes >= SAVE_BYTES) await this.#save()
      await this.#write(await this.#openWriter(bytes), chunks)
      if (!last && this.offset - this.#saved >= SAVE_BYTES) await this.#save()
    })
  }

  async #write(writer: BlobWriter, chunks: AsyncIterable<Uint8Array>): Promise<void> {
    const before = writer.offset
    try {
      for await (const chunk of abortableItems(chunks, this.#ended.signal)) await writer.write(chunk)
    } catch (error) {
      if (isStorageFull(error)) await this.abort()
      // If saving fails, `#openWriter` finds the missing bytes when the client resumes.
      else await this.#save().catch(this.#limits.onError)
      throw error
    }
    this.#isShort = writer.offset - before < this.minChunkBytes
  }

  /** Ends the upload: stores its bytes as a blob if they have this digest, and drops them otherwise. */
  commit(digest: Digest): Promise<BlobInfo> {
    return this.#exclusively(async () => {
      await this.#useAlgorithm(splitDigest(digest).algorithm)
      const writer = await this.#openWriter()
      try {
        return await writer.commit({ digest })
      } finally {
        this.#end()
      }
    })
  }

  /** Drops the upload and its bytes. A request that is writing to it fails. */
  async abort(): Promise<void> {
    this.#end()
    const writer = this.#writer ?? (this.#saved > 0 ? await this.#openIngest() : undefined)
    await writer?.abort()
  }

  /** Ends the session and saves the bytes for another server. */
  async suspend(): Promise<void> {
    this.#end()
    await this.#save()
  }

  /** Saves the bytes to disk. PERF: it closes the file, too: hundreds of idle uploads hold no descriptor. */
  async #save(): Promise<void> {
    const writer = this.#writer
    if (!writer) return
    this.#saved = writer.offset
    this.#writer = undefined
    this.#closing = writer[Symbol.asyncDispose]()
    await this.#closing
  }

  /**
   * Switches to another digest algorithm.
   *
   * SPEC: a client may name the algorithm as late as in the last request (distribution-spec, end-6).
   * PERF: the bytes are saved, and read back when the writer is opened again; only an upload that switches pays for it.
   */
  async #useAlgorithm(algorithm: DigestAlgorithm): Promise<void> {
    if (algorithm === this.#algorithm) return
    await this.#save()
    this.#algorithm = algorithm
  }

  /** Resolves to the open writer, or opens one. `bytes` is the announced size of the body. */
  async #openWriter(bytes = 0): Promise<BlobWriter> {
    if (this.#writer) return this.#writer
    const writer = await this.#openIngest(this.offset + bytes)
    this.#writer = writer
    // `abort` was called while the writer was being opened.
    if (this.#ended.signal.aborted) await writer.abort()
    const lost = this.#saved - writer.offset
    this.#saved = writer.offset
    // Bytes that could not be saved are lost; the client must learn it before it sends what follows them.
    if (lost !== 0) {
      const message = `${lost} bytes of this upload are lost; resume it at the offset in Range`
      throw new Fault(416, { code: 'BLOB_UPLOAD_INVALID', message }, uploadHeaders(this))
    }
    return writer
  }

  async #openIngest(size?: number): Promise<BlobWriter> {
    await this.#closing?.then(undefined, () => {})
    return this.#store.ingest(ingestKey(this), { algorithm: this.#algorithm, size })
  }

  async #exclusively<T>(work: () => Promise<T>): Promise<T> {
    if (this.#busySince !== undefined) {
      throw new Fault(409, { code: 'BLOB_UPLOAD_INVALID', message: 'another request is writing to this upload' })
    }
    this.#busySince = performance.now()
    this.#stopTimers()
    try {
      return await work()
    } finally {
      this.#busySince = undefined
      this.#startTimers()
    }
  }

  #startTimers(): void {
    if (this.#ended.signal.aborted) return
    const { idleMs, emptyIdleMs, onError } = this.#limits
    const dropMs = this.offset === 0 ? Math.min(emptyIdleMs, idleMs) : idleMs
    // If the drop fails, the store sweeps the bytes when it is opened next.
    this.#idle = setTimeout(() => void this.abort().catch(onError), dropMs).unref()
    if (this.#writer) this.#open = setTimeout(() => void this.#save().catch(onError), OPEN_MS).unref()
  }

  #stopTimers(): void {
    clearTimeout(this.#idle)
    clearTimeout(this.#open)
  }

  #end(): void {
    this.#ended.abort(new Fault(404, { code: 'BLOB_UPLOAD_UNKNOWN', message: 'this upload was dropped' }))
    this.#stopTimers()
    this.#limits.onEnd()
  }
}
