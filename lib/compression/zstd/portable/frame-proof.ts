import type { Xxhash64 } from '../../../digest/index.ts'
import { FormatError } from '../../../errors/index.ts'
import type { FrameHeader } from '../frame-header.ts'
import { damaged } from './damaged.ts'

/** Verifies the content of a frame against its stated size and checksum. */
export class FrameProof {
  readonly #contentSize: bigint | undefined
  readonly #hasher: Xxhash64 | undefined
  #size = 0

  constructor({ contentSize, checksum }: FrameHeader, hasher: Xxhash64 | undefined) {
    this.#contentSize = contentSize
    this.#hasher = checksum ? hasher : undefined
    this.#hasher?.begin()
  }

  /** Adds the next content. */
  add(content: Uint8Array): void {
    this.#size += content.byteLength
    this.#hasher?.update(content)
  }

  /** Verifies at the end of the content, with the checksum of the frame if it has one. */
  end(checksum: Uint8Array | undefined): void {
    if (this.#contentSize !== undefined && BigInt(this.#size) !== this.#contentSize) {
      throw new FormatError('ERR_INVALID_COMPRESSION', `zstd frame of ${this.#contentSize} bytes holds ${this.#size}`)
    }
    if (!checksum || !this.#hasher) return
    const expected = new DataView(checksum.buffer, checksum.byteOffset).getUint32(0, true)
    if (this.#hasher.low() !== expected) throw damaged('its content does not have the checksum of its frame')
  }
}
