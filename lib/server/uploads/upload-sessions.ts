import { randomUUID } from 'node:crypto'
import { type Digest, type DigestAlgorithm, splitDigest } from '../../digest/index.ts'
import type { BlobInfo, BlobWriter, Store } from '../../store/index.ts'
import { Fault } from '../fault.ts'
import type { Settings } from '../options.ts'

/** The uploads that are open. They live in this process; their bytes are ingests of the store. */
export class UploadSessions {
  readonly #store: Store
  readonly #settings: Settings
  readonly #sessions = new Map<string, UploadSession>()

  constructor(store: Store, settings: Settings) {
    this.#store = store
    this.#settings = settings
  }

  start(path: string, algorithm: DigestAlgorithm): UploadSession {
    if (this.#sessions.size >= this.#settings.maxUploads) {
      const tooMany = { code: 'TOOMANYREQUESTS', message: 'too many uploads are open' } as const
      throw new Fault(429, tooMany, { 'Retry-After': '10' })
    }
    const session = new UploadSession(this.#store, path, algorithm, {
      minChunkBytes: this.#settings.minChunkBytes,
      idleMs: this.#settings.uploadIdleMs,
      onEnd: () => this.#sessions.delete(session.id),
    })
    this.#sessions.set(session.id, session)
    return session
  }

  find(route: { readonly path: string; readonly id: string }): UploadSession {
    const session = this.#sessions.get(route.id)
    if (session?.path === route.path) return session
    throw new Fault(404, { code: 'BLOB_UPLOAD_UNKNOWN', message: 'no such upload' })
  }

  /** Drops all of them, bytes included. */
  async close(): Promise<void> {
    await Promise.all([...this.#sessions.values()].map(session => session.abort()))
  }
}

interface SessionLimits {
  readonly minChunkBytes: number
  readonly idleMs: number
  readonly onEnd: () => void
}

/** One upload. Only one request at a time may add to it. */
export class UploadSession {
  readonly id: string = randomUUID()
  /** The repository, as in paths. */
  readonly path: string
  readonly minChunkBytes: number
  readonly #store: Store
  readonly #algorithm: DigestAlgorithm
  readonly #limits: SessionLimits
  #writer: BlobWriter | undefined
  #busy = false
  #ended = false
  #isShort = false
  #idle: NodeJS.Timeout | undefined

  constructor(store: Store, path: string, algorithm: DigestAlgorithm, limits: SessionLimits) {
    this.#store = store
    this.path = path
    this.#algorithm = algorithm
    this.minChunkBytes = limits.minChunkBytes
    this.#limits = limits
    this.#waitForMore()
  }

  /** Bytes that have arrived. */
  get offset(): number {
    return this.#writer?.offset ?? 0
  }

  /** Adds what a request brings. If it breaks off, what came so far stays, and the client may go on from there. */
  append(chunks: AsyncIterable<Uint8Array>): Promise<void> {
    return this.#exclusively(async () => {
      if (this.#isShort) {
        const message = `only the last piece may have less than ${this.minChunkBytes} bytes`
        throw new Fault(416, { code: 'SIZE_INVALID', message })
      }
      const writer = await this.#open(this.#algorithm)
      const before = writer.offset
      for await (const chunk of chunks) await writer.write(chunk)
      this.#isShort = writer.offset - before < this.minChunkBytes
    })
  }

  /** Ends the upload: what has arrived becomes a blob if it has this digest, and is dropped if not. */
  commit(digest: Digest): Promise<BlobInfo> {
    return this.#exclusively(async () => {
      const { algorithm } = splitDigest(digest)
      if (this.#writer && algorithm !== this.#algorithm) {
        const message = `this upload computes ${this.#algorithm}; say digest-algorithm=${algorithm} when starting it`
        throw new Fault(400, { code: 'DIGEST_INVALID', message })
      }
      try {
        return await (await this.#open(algorithm)).commit({ digest })
      } finally {
        this.#over()
      }
    })
  }

  /** Drops the upload and its bytes. A request that is adding to it fails with its next chunk. */
  async abort(): Promise<void> {
    this.#over()
    await this.#writer?.abort()
  }

  async #open(algorithm: DigestAlgorithm): Promise<BlobWriter> {
    if (!this.#writer) {
      const writer = await this.#store.ingest(`upload ${this.id}`, { algorithm })
      this.#writer = writer
      // Aborted while it was being opened.
      if (this.#ended) await writer.abort()
    }
    return this.#writer
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
    // A failure to drop bytes has nobody to be told to; the store sweeps such leftovers when it is opened.
    this.#idle = setTimeout(() => void this.abort().catch(() => {}), this.#limits.idleMs)
    this.#idle.unref()
  }

  #over(): void {
    this.#ended = true
    clearTimeout(this.#idle)
    this.#limits.onEnd()
  }
}
