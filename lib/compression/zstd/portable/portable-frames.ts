import { createXxhash64, type Xxhash64 } from '../../../digest/index.ts'
import type { FramePiece } from '../zstd-frames.ts'
import { BlockDecoder } from './block-decoder.ts'
import { FrameProof } from './frame-proof.ts'

/** Size of an output piece; the last piece of a frame may be smaller. */
const OUTPUT_PIECE = 128 * 1024

/**
 * Decodes successive frames without the platform's engine. Memory is bounded by the largest window, and by the content
 * if that is smaller. Time is bounded by the input and output bytes, regardless of the number of frames and blocks.
 */
export class PortableFrames {
  readonly #decoder = new BlockDecoder()
  #proof: FrameProof | undefined
  #hasher: Xxhash64 | undefined

  /** Await this before the first piece of each frame: it loads the checksum code on demand. */
  async prepare({ begins }: FramePiece): Promise<void> {
    if (begins?.checksum) this.#hasher ??= await createXxhash64()
  }

  /**
   * Takes the next piece of a frame. Returns content once enough is decoded; returns the rest with the last piece,
   * after verifying the size and the checksum of the frame.
   */
  take({ bytes, begins, part, ends }: FramePiece): Uint8Array | undefined {
    const { history } = this.#decoder
    if (begins) {
      this.#proof = new FrameProof(begins, this.#hasher)
      this.#decoder.beginFrame(Number(begins.windowSize))
    } else if (part === 'block') this.#decoder.open(bytes)
    const isDue = history.waiting >= OUTPUT_PIECE || (ends && history.waiting > 0)
    const made = isDue ? history.take() : undefined
    if (made) this.#proof?.add(made)
    if (ends) this.#proof?.end(part === 'checksum' ? bytes : undefined)
    return made
  }
}
