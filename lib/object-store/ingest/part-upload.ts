import type { ObjectContext } from '../object-context.ts'
import type { UploadPart } from '../s3/bucket.ts'

/** Size of the first piece of memory: enough for a small blob. */
const FIRST_BYTES = 64 * 1024
/** SPEC: Amazon S3 API, multipart upload: parts of one upload. */
const MOST_PARTS = 10_000
/** Without parts of one size later parts are larger, so that a blob may have 5 TiB. */
const PARTS_OF_ONE_SIZE = 2000
/** SAFETY: parts are kept in memory, and the announced size of a blob may come from another machine. */
const MOST_EQUAL_BYTES = 64 * 1024 * 1024

/** Facts of an upload that are known before its first byte. */
export interface UploadStart {
  /** Bytes of the whole blob. Up to 625 GiB all its parts but the last have one size, which Cloudflare R2 demands. */
  readonly size?: number | undefined
  /** Parts that an earlier writer has uploaded. */
  readonly resumed?: { readonly uploadId: string; readonly parts: readonly UploadPart[] } | undefined
}

/**
 * Gathers bytes into parts and uploads them, several at a time. Memory: at most `concurrency` parts, the one that is
 * being filled included.
 */
export class PartUpload {
  readonly #context: ObjectContext
  readonly #target: string
  readonly #parts: UploadPart[]
  readonly #sending = new Set<Promise<void>>()
  #uploadId: Promise<string> | undefined
  #buffer: Buffer = Buffer.allocUnsafeSlow(0)
  #filled = 0
  #sent: number
  /** Size of the parts until these bytes are sent. */
  readonly #equal: { readonly partSize: number; readonly upTo: number }
  #failure: { readonly reason: unknown } | undefined

  constructor(context: ObjectContext, target: string, { size = 0, resumed }: UploadStart = {}) {
    this.#context = context
    this.#target = target
    this.#parts = [...(resumed?.parts ?? [])]
    this.#sent = this.#parts.length
    this.#uploadId = resumed && Promise.resolve(resumed.uploadId)
    this.#equal = equalParts(context.settings.partSize, size, this.#parts)
  }

  /** Whether parts were uploaded; if not, all bytes are in the buffer. */
  get hasBegun(): boolean {
    return this.#uploadId !== undefined
  }

  /** The bytes that are in no part yet. They do not change: later bytes are appended or go elsewhere. */
  get tail(): Buffer {
    return this.#buffer.subarray(0, this.#filled)
  }

  /** The parts, in order. Complete after {@link settle}. */
  get parts(): readonly UploadPart[] {
    return this.#parts
  }

  /** Number of parts that were sent, whether they have arrived or not. */
  get sent(): number {
    return this.#sent
  }

  /** Copies bytes into parts. Resolves when there is room for more. */
  async append(chunk: Uint8Array): Promise<void> {
    for (let at = 0; at < chunk.byteLength; ) {
      this.#assertSound()
      const room = this.#roomFor(chunk.byteLength - at)
      const taken = Math.min(room, chunk.byteLength - at)
      this.#buffer.set(chunk.subarray(at, at + taken), this.#filled)
      this.#filled += taken
      at += taken
      if (this.#filled === this.#partSize) await this.#sendPart()
    }
  }

  get #partSize(): number {
    const { partSize, upTo } = this.#equal
    if (this.#sent * partSize < upTo) return partSize
    return this.#context.settings.partSize * 4 ** Math.floor(this.#sent / PARTS_OF_ONE_SIZE)
  }

  /** Bytes that fit; the buffer grows to the size of a part, as most blobs are smaller. */
  #roomFor(more: number): number {
    const wanted = Math.min(this.#partSize, Math.max(this.#filled + more, FIRST_BYTES))
    if (this.#buffer.byteLength < wanted) {
      const size = Math.min(this.#partSize, Math.max(wanted, 4 * this.#buffer.byteLength))
      const larger = Buffer.allocUnsafeSlow(size)
      larger.set(this.tail)
      this.#buffer = larger
    }
    return this.#buffer.byteLength - this.#filled
  }

  async #sendPart(): Promise<void> {
    const bytes = this.tail
    this.#buffer = Buffer.allocUnsafeSlow(0)
    this.#filled = 0
    this.#sent++
    const sending = this.#send(this.#sent, bytes).then(
      () => void this.#sending.delete(sending),
      reason => {
        this.#sending.delete(sending)
        this.#failure ??= { reason }
      },
    )
    this.#sending.add(sending)
    // The buffer that is filled next counts too.
    while (this.#sending.size >= this.#context.settings.concurrency) await Promise.race(this.#sending)
    this.#assertSound()
  }

  async #send(number: number, bytes: Buffer): Promise<void> {
    const { bucket } = this.#context
    this.#uploadId ??= bucket.startUpload(this.#target)
    const etag = await bucket.putPart(this.#target, await this.#uploadId, number, bytes)
    this.#parts[number - 1] = { number, etag, size: bytes.byteLength }
  }

  /** Waits until every part that was sent has arrived; resolves to the id of the upload. */
  async settle(): Promise<string | undefined> {
    await Promise.all(this.#sending)
    this.#assertSound()
    return this.#uploadId
  }

  /** Uploads the rest and completes the object. */
  async complete(): Promise<void> {
    if (this.#filled > 0) await this.#sendPart()
    const uploadId = await this.settle()
    if (uploadId !== undefined) await this.#context.bucket.completeUpload(this.#target, uploadId, this.#parts)
  }

  /** Ends the upload and deletes its parts. */
  async abort(): Promise<void> {
    await Promise.all(this.#sending)
    const uploadId = await this.#uploadId?.catch(() => undefined)
    if (uploadId !== undefined) await this.#context.bucket.abortUpload(this.#target, uploadId)
  }

  #assertSound(): void {
    if (this.#failure) throw this.#failure.reason
  }
}

/** Chooses the size of parts: that of the parts that are there, unless the rest of the blob would need too many. */
function equalParts(partSize: number, size: number, parts: readonly UploadPart[]) {
  const done = parts.reduce((sum, part) => sum + part.size, 0)
  const least = Math.ceil((size - done) / (MOST_PARTS - parts.length))
  if (size === 0 || least > Math.max(partSize, MOST_EQUAL_BYTES)) return { partSize, upTo: 0 }
  return { partSize: Math.max(parts[0]?.size ?? partSize, least), upTo: size }
}
