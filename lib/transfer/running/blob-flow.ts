import { createStreamDigester, type StreamDigester, splitDigest } from '../../digest/index.ts'
import { DigestMismatchError } from '../../errors/index.ts'
import type { Descriptor } from '../../oci/index.ts'
import type { ReadSourceOptions, TransferSource } from '../endpoints/transfer-source.ts'
import type { BlobFeed } from '../endpoints/transfer-target.ts'
import type { ProgressMeter } from './progress.ts'

/** Parts of a {@link BlobFlow}. */
export interface FlowParts {
  readonly descriptor: Descriptor
  readonly source: TransferSource
  readonly meter: ProgressMeter
  readonly signal: AbortSignal
  /** The bytes, if they were already read. */
  readonly known: Uint8Array | undefined
  readonly parallel: number
}

/**
 * The stream of one blob from its source to its target: opens the source at the offset that the target asks for, counts
 * the bytes, and verifies them if the source does not.
 */
export class BlobFlow implements BlobFeed {
  readonly descriptor: Descriptor
  readonly #parts: FlowParts
  #position: number | undefined
  #moved = 0
  #repeated = 0
  #proof: StreamDigester | undefined

  constructor(parts: FlowParts) {
    this.descriptor = parts.descriptor
    this.#parts = parts
  }

  /** Number of bytes read from the source. */
  get moved(): number {
    return this.#moved
  }

  /** Those of `moved` that were read more than once. */
  get again(): number {
    return this.#repeated
  }

  async *open(
    offset: number,
    options: Pick<ReadSourceOptions, 'borrow' | 'lender' | 'lend'> = {},
  ): AsyncGenerator<Uint8Array, void, undefined> {
    this.#seek(offset)
    const { descriptor, meter } = this.#parts
    for await (const chunk of this.#read(offset, options)) {
      this.#moved += chunk.byteLength
      this.#position! += chunk.byteLength
      meter.add(descriptor.digest, descriptor.size, chunk.byteLength)
      yield chunk
    }
  }

  #seek(offset: number): void {
    const { descriptor, meter } = this.#parts
    const { digest, size } = descriptor
    if (this.#position === undefined) {
      meter.start(digest, size, offset)
    } else {
      meter.add(digest, size, offset - this.#position)
      this.#repeated += Math.max(0, this.#position - offset)
    }
    this.#position = offset
  }

  #read(
    offset: number,
    options: Pick<ReadSourceOptions, 'borrow' | 'lender' | 'lend'>,
  ): AsyncIterable<Uint8Array> | Iterable<Uint8Array> {
    const { descriptor, source, known, parallel, signal } = this.#parts
    if (known) return [known.subarray(offset)]
    const onRepeated = (bytes: number) => {
      this.#moved += bytes
      this.#repeated += bytes
    }
    return source.readBlob(descriptor, { offset, parallel, signal, onRepeated, ...options })
  }

  /**
   * Continues hashing across openings: no byte is hashed twice. Two kinds of stream are left to the target to verify:
   * one that begins in the middle, because another process sent the part before, and one that is opened again after the
   * digest was proven.
   */
  async *openChecked(
    offset: number,
    { lend }: Pick<ReadSourceOptions, 'lend'> = {},
  ): AsyncGenerator<Uint8Array, void, undefined> {
    if (this.#parts.source.verifies && offset === 0) return yield* this.open(offset, { lend })
    const isProven = await this.#beginProof(offset)
    const proof = isProven ? this.#proof : undefined
    let at = offset
    // A proof needs the bytes in this thread.
    for await (const chunk of this.open(offset, { lend: lend && !proof })) {
      if (proof && at + chunk.byteLength > proof.bytesHashed) await proof.update(chunk.subarray(proof.bytesHashed - at))
      at += chunk.byteLength
      // SAFETY: a registry as a target may not verify blobs. The last chunk is yielded only after the digest was
      // proven, so a corrupt blob never arrives whole.
      if (isProven && at === this.descriptor.size) await this.#prove()
      yield chunk
    }
  }

  async #beginProof(offset: number): Promise<boolean> {
    if (!this.#proof && offset === 0) {
      this.#proof = await createStreamDigester({ algorithm: splitDigest(this.descriptor.digest).algorithm })
    }
    return this.#proof !== undefined && this.#proof.bytesHashed >= offset
  }

  async #prove(): Promise<void> {
    const { digest: expected } = this.descriptor
    const proof = this.#proof!
    this.#proof = undefined
    const actual = await proof.digest()
    if (actual !== expected) throw new DigestMismatchError({ expected, actual, what: 'blob' })
  }

  distrust(): boolean {
    this.close()
    return this.#parts.source.distrust?.(this.descriptor.digest) ?? false
  }

  /** Releases the digester. */
  close(): void {
    this.#proof?.release()
    this.#proof = undefined
  }
}
