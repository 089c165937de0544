import { FormatError, HasherError, RegistryError } from '../../errors/index.ts'
import { BodySourceError } from '../../internal/http/send-body.ts'
import type { Descriptor, Repository } from '../../oci/index.ts'
import { ByteBound } from '../endpoint/byte-bound.ts'
import type { RegistryEndpoint } from '../endpoint/registry-endpoint.ts'
import type { RetryBudget } from '../endpoint/retry-budget.ts'
import type { PushBlobOptions, PushedBlob } from '../registry-client.ts'
import { THREAD_BYTES } from '../transport/thread-bytes.ts'
import { BodyWays } from './body-ways.ts'
import { cancelUpload } from './cancel-upload.ts'
import { openUpload } from './open-upload.ts'
import { PieceSource } from './piece-source.ts'
import { putBlob } from './put-blob.ts'
import { LostUpload, type PieceUpload, sendPieces } from './send-pieces.ts'
import { type UploadSlot, uploadSlot } from './upload-state.ts'
import { uploadStatus } from './upload-status.ts'

/** Large enough to make the cost of a request negligible, small enough to be sent again. */
const CHUNK_BYTES = 16 * 1024 * 1024
/** A registry that refuses even this size as too large (413) has another reason. */
const SMALLEST_CHUNK_BYTES = 64 * 1024
/**
 * SAFETY: a registry could accept one byte of each piece and keep the client busy without end. Less than this, of a
 * piece that was accepted in part, is no progress.
 */
const PROGRESS_BYTES = 1024 * 1024

/** One loss may be an accident; a registry that answers every first piece with 404 does not support pieces. */
const LOST_AT_ONCE = 2

/** Uploads a blob; see `RegistryClient.pushBlob`. */
export async function pushBlob(
  endpoint: RegistryEndpoint,
  repository: Repository,
  descriptor: Descriptor,
  open: () => AsyncIterable<Uint8Array>,
  options: PushBlobOptions,
): Promise<PushedBlob> {
  const { chunkBytes, openAt, uploads } = options
  // The whole blob counts, not the piece: pieces that change between threads would not be verified.
  const openLent = descriptor.size < THREAD_BYTES ? undefined : options.openLent
  if (chunkBytes !== undefined && (!Number.isInteger(chunkBytes) || chunkBytes < 1)) {
    throw new FormatError('ERR_INVALID_ARGUMENT', `chunkBytes must be a whole number from 1 on, is ${chunkBytes}`)
  }
  const slot = await uploadSlot(uploads, repository, descriptor.digest)
  const source = new PieceSource({ open, openAt, openLent })
  const push = new BlobPush({ endpoint, repository, descriptor, source, slot, options, open, openLent })
  try {
    const how = await push.run()
    await slot?.clear()
    return how
  } finally {
    source.close()
  }
}

interface PushContext {
  readonly endpoint: RegistryEndpoint
  readonly repository: Repository
  readonly descriptor: Descriptor
  readonly source: PieceSource
  readonly slot: UploadSlot | undefined
  readonly options: PushBlobOptions
  readonly open: () => AsyncIterable<Uint8Array>
  readonly openLent: PushBlobOptions['openLent']
}

/** State of one upload at the registry. */
interface Session {
  location: URL
  readonly offset: number
  readonly minBytes: number
}

class BlobPush {
  readonly #context: PushContext
  readonly #budget: RetryBudget
  readonly #sent: ByteBound
  readonly #ways: BodyWays
  /** Preferred size of a piece in bytes. A blob that is not larger is sent whole. */
  #wished: number
  /** Most bytes that the registry ever held; and how many it held at the last progress. */
  #furthest = 0
  #counted = 0
  #lostAtOnce = 0

  constructor(context: PushContext) {
    const { chunkBytes, uploads } = context.options
    this.#context = context
    this.#budget = context.endpoint.budget()
    const { digest, size } = context.descriptor
    this.#sent = new ByteBound(`bytes sent for blob ${digest}`, size, this.#budget)
    this.#ways = new BodyWays(context.endpoint.learned)
    this.#wished = chunkBytes ?? (uploads ? CHUNK_BYTES : Number.POSITIVE_INFINITY)
  }

  async run(): Promise<PushedBlob> {
    let session = await this.#begin()
    while (session) {
      const inPieces = this.#isInPieces(session)
      try {
        await this.#send(session, inPieces)
        this.#ways.succeeded(inPieces ? 'PATCH' : 'PUT')
        return 'uploaded'
      } catch (error) {
        await this.#recover(session, inPieces, error)
        session = await this.#start(undefined)
      }
    }
    return 'mounted'
  }

  /**
   * Returns the upload to continue; `undefined` if the registry mounted the blob, which is better than resuming an
   * upload.
   */
  async #begin(): Promise<Session | undefined> {
    const { endpoint, repository, options } = this.#context
    const from = typeof options.mount === 'object' ? options.mount.from : undefined
    const resumed = await this.#resume()
    if (resumed && from === undefined) return resumed
    const started = await this.#start(from)
    if (!resumed) return started
    await cancelUpload(endpoint, repository, (started ?? resumed).location)
    return started && resumed
  }

  /** Returns the upload that an earlier call left open, if the registry still knows it. */
  async #resume(): Promise<Session | undefined> {
    const { endpoint, repository, descriptor, slot, options } = this.#context
    const location = await slot?.load(endpoint)
    if (!location) return undefined
    const { size } = descriptor
    const status = await uploadStatus(endpoint, repository, location, size, {
      budget: this.#budget,
      signal: options.signal,
    })
    if (status?.held !== undefined && status.held <= size) {
      return { location: status.location, offset: status.held, minBytes: 0 }
    }
    if (status) await cancelUpload(endpoint, repository, status.location)
    await slot?.clear()
    return undefined
  }

  /** Opens a new upload; `undefined` if the registry mounted the blob instead. */
  async #start(from: string | undefined): Promise<Session | undefined> {
    const { endpoint, repository, descriptor, options } = this.#context
    const { answer, location, mounted, minBytes } = await openUpload(endpoint, repository, descriptor.digest, {
      mount: options.mount === false ? false : { from },
      budget: this.#budget,
      signal: options.signal,
    })
    if (mounted) return undefined
    if (!location) throw new RegistryError('ERR_PROTOCOL', 'upload began without an address', answer)
    return { location, offset: 0, minBytes }
  }

  async #send(session: Session, inPieces: boolean): Promise<void> {
    const { endpoint, repository, descriptor, options, open, openLent } = this.#context
    if (!inPieces) {
      const body = {
        size: descriptor.size,
        open: () => this.#sent.count(open()),
        openLent: openLent && (() => this.#sent.count(openLent(0))),
      }
      return putBlob(endpoint, repository, descriptor, session.location, { body, once: true, signal: options.signal })
    }
    await this.#context.slot?.save(session.location, session.offset)
    const upload = this.#pieceUpload(session)
    try {
      await sendPieces(upload)
    } finally {
      session.location = upload.location
    }
  }

  #isInPieces(session: Session): boolean {
    const { next } = this.#ways
    if (session.offset > 0 || next === 'PATCH') return true
    return next === undefined && this.#context.descriptor.size > this.#pieceBytes(session)
  }

  #pieceUpload(session: Session): PieceUpload {
    return {
      ...this.#context,
      ...session,
      sent: this.#sent,
      signal: this.#context.options.signal,
      budget: this.#budget,
      isDoubtful: session.offset > 0,
      pieceBytes: () => this.#pieceBytes(session),
      shrink: refused => this.#shrink(refused, session.minBytes),
      reached: (offset, isWhole) => this.#reached(offset, isWhole),
    }
  }

  /**
   * Records the bytes that the registry holds. Returns whether that is progress; sending the same bytes again is none.
   */
  #reached(offset: number, isWhole: boolean): boolean {
    const isProgress = offset > this.#furthest && (isWhole || offset - this.#counted >= PROGRESS_BYTES)
    this.#furthest = Math.max(this.#furthest, offset)
    if (!isProgress) return false
    this.#counted = offset
    this.#budget.progressed()
    return true
  }

  #pieceBytes({ minBytes }: Session): number {
    return Math.max(minBytes, Math.min(this.#wished, this.#context.endpoint.learned.maxBodyBytes))
  }

  #shrink(refused: number, minBytes: number): boolean {
    const least = Math.max(minBytes, SMALLEST_CHUNK_BYTES)
    if (refused <= least) return false
    this.#context.endpoint.learned.maxBodyBytes = Math.max(least, Math.floor(refused / 2))
    return true
  }

  /** Prepares another try, or throws the error. */
  async #recover(session: Session, inPieces: boolean, error: unknown): Promise<void> {
    const { endpoint, repository, slot, options } = this.#context
    if (inPieces && slot && mayResumeLater(error, options.signal)) throw error
    await cancelUpload(endpoint, repository, session.location)
    await slot?.clear()
    if (error instanceof BodySourceError) throw error.cause
    if (error instanceof LostUpload) {
      if (error.end === 'refused') this.#ways.refuse('PATCH', error.first)
      if (error.end === 'lost at once' && ++this.#lostAtOnce >= LOST_AT_ONCE) this.#ways.avoid('PATCH')
      return endpoint.waitAfter(error.failure, this.#budget, options.signal)
    }
    if (inPieces) return endpoint.waitAfter(error, this.#budget, options.signal)
    return this.#recoverWhole(session, error)
  }

  /** Prepares another try after a body with the closing PUT. */
  async #recoverWhole({ minBytes }: Session, error: unknown): Promise<void> {
    const { endpoint, descriptor, options } = this.#context
    if (!(error instanceof RegistryError)) throw error
    const { status = 0 } = error
    if (status === 413 && !this.#ways.isRefused('PATCH') && this.#shrink(descriptor.size, minBytes)) return
    if (REFUSES_BODY.includes(status) && descriptor.size > 0) return this.#ways.refuse('PUT', error)
    // A blob that failed in one piece may succeed in several, and a retry then need not start from byte 0.
    this.#wished = Math.min(this.#wished, CHUNK_BYTES)
    if (LOSES_BODY.includes(status) || descriptor.size > CHUNK_BYTES) this.#ways.avoid('PUT')
    await endpoint.waitAfter(asTransient(error), this.#budget, options.signal)
  }
}

/** Statuses of registries that do not accept a body with this method. */
const REFUSES_BODY: readonly number[] = [400, 405, 406, 411, 415, 501]
/** Statuses with three possible causes: no body accepted, a lost session, or a transient failure. */
const LOSES_BODY: readonly number[] = [404, 410, 416, 500]

/** True if a later call, perhaps of another process, may resume the upload after this error. */
function mayResumeLater(error: unknown, signal: AbortSignal | undefined): boolean {
  if (signal?.aborted) return true
  if (error instanceof HasherError) return true
  return error instanceof RegistryError && (error.retryable || error.code === 'ERR_UNAUTHORIZED')
}

/**
 * Makes the error of a session that the registry lost (404, 410) or advanced (416) retryable: a new session may
 * succeed.
 */
function asTransient(error: RegistryError): RegistryError {
  if (![404, 410, 416].includes(error.status ?? 0)) return error
  return new RegistryError('ERR_REGISTRY', 'registry lost the upload', { ...error, retryable: true }, { cause: error })
}
