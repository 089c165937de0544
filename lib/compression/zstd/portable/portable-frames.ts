import { createXxhash64, type Xxhash64 } from '../../../digest/index.ts'
import type { FramePiece } from '../zstd-frames.ts'
import { BlockDecoder } from './block-decoder.ts'
import { FrameProof } from './frame-proof.ts'

/** Content that is handed out together, unless its frame ends before. */
const OUTPUT_PIECE = 128 * 1024

/**
 * Opens one frame after the other without the platform's help. Memory is bounded by the largest window, and by the content
 * if that is smaller; time by the bytes that come in and go out, however many frames and blocks they are in.
 */
export class PortableFrames {
  readonly #decoder = new BlockDecoder()
  #proof: FrameProof | undefined
  #hasher: Xxhash64 | undefined

  /** To be awaited before the first piece of each frame: the code that verifies checksums is loaded when it is needed. */
  async prepare({ begins }: FramePiece): Promise<void> {
    if (begins?.checksum) this.#hasher ??= await createXxhash64()
  }

  /**
   * Takes the next piece of a frame. Gives content when there is enough of it, and the rest of it with the last piece, when
   * the size and the checksum of the frame have been proven.
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
