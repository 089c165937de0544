import { verifyBytes } from '../../digest/index.ts'
import type { AbortOptions } from '../../internal/abort.ts'
import { collectBytes } from '../../internal/collect-bytes.ts'
import { type Descriptor, type ImageDocument, Limits, parseImageDocument } from '../../oci/index.ts'
import type { TransferSource } from '../endpoints/transfer-source.ts'
import type { TransferTarget } from '../endpoints/transfer-target.ts'

/**
 * Cache of an image's documents during planning. It reads each document once, from the target if the target has it,
 * else from the source.
 */
export class KnownDocuments {
  /** Bytes that were fetched from the source, by digest. */
  readonly fetched: Map<string, Uint8Array> = new Map()
  readonly #source: TransferSource
  readonly #target: TransferTarget
  readonly #options: AbortOptions

  constructor(source: TransferSource, target: TransferTarget, options: AbortOptions) {
    this.#source = source
    this.#target = target
    this.#options = options
  }

  /** Resolves the image at the source: one HEAD if the target has the document already, one GET otherwise. */
  async resolveRoot(): Promise<Descriptor> {
    if (await this.#mayBeKnown()) {
      const descriptor = await this.#source.resolve(this.#options)
      if (await this.#atHand(descriptor)) return descriptor
    }
    const { descriptor, bytes } = await this.#source.fetchRoot(this.#options)
    this.fetched.set(descriptor.digest, bytes)
    return descriptor
  }

  async #mayBeKnown(): Promise<boolean> {
    return (await this.#target.current?.(this.#options)) !== undefined
  }

  async #atHand(descriptor: Descriptor): Promise<Uint8Array | undefined> {
    return this.#target.readDocument?.(descriptor, this.#options)
  }

  /** Reads and parses a manifest or index. */
  async read(descriptor: Descriptor): Promise<ImageDocument> {
    return parseImageDocument(await this.bytesOf(descriptor), descriptor.mediaType)
  }

  /** Reads the bytes of a manifest or index. */
  async bytesOf(descriptor: Descriptor): Promise<Uint8Array> {
    const known = this.fetched.get(descriptor.digest) ?? (await this.#atHand(descriptor))
    if (known) return known
    const bytes = await this.#source.readDocument(descriptor, this.#options)
    this.fetched.set(descriptor.digest, bytes)
    return bytes
  }

  /** Reads the bytes of an image config. */
  async configBytes(descriptor: Descriptor): Promise<Uint8Array> {
    const known = this.fetched.get(descriptor.digest) ?? (await this.#atHand(descriptor))
    if (known) return known
    const source = this.#source.readBlob(descriptor, { offset: 0, ...this.#options })
    const bytes = await collectBytes(verifyBytes(source, descriptor), Limits.configBytes, 'image config bytes')
    this.fetched.set(descriptor.digest, bytes)
    return bytes
  }
}
