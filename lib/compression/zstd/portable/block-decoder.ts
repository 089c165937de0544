import { damaged } from './damaged.ts'
import { FrameHistory, MAX_BLOCK } from './frame-history.ts'
import { HuffmanTable } from './huffman-table.ts'
import { readLiterals } from './literals.ts'
import { SequenceReader } from './sequences.ts'

/** Padding before and after a block, so that word reads may cross its ends; its value is never used. */
const MARGIN = 16

/** Decodes the blocks of successive frames, in order. All buffers are reused. */
export class BlockDecoder {
  readonly history = new FrameHistory()
  readonly #literals = new HuffmanTable()
  readonly #sequences = new SequenceReader()
  readonly #bytes = new Uint8Array(MARGIN + MAX_BLOCK + MARGIN)
  readonly #view = new DataView(this.#bytes.buffer)
  #maxBlock = 0

  /** Resets the state for a new frame. */
  beginFrame(window: number): void {
    this.#maxBlock = Math.min(window, MAX_BLOCK)
    this.#literals.bits = 0
    this.#sequences.beginFrame()
    this.history.beginFrame(window)
  }

  /** Decodes a block, given with its header; appends its content to the history. */
  open(block: Uint8Array): void {
    const { history } = this
    const header = block[0]! | (block[1]! << 8) | (block[2]! << 16)
    const type = (header >> 1) & 3
    history.beginBlock(this.#maxBlock)
    if (type === 0) history.append(block.subarray(3))
    else if (type === 1) history.fill(block[3]!, header >> 3)
    else this.#decompress(block.subarray(3))
  }

  #decompress(content: Uint8Array): void {
    const { history } = this
    this.#bytes.set(content, MARGIN)
    const input = { bytes: this.#bytes, view: this.#view, at: MARGIN, end: MARGIN + content.byteLength }
    const size = readLiterals(input, history, this.#literals, this.#maxBlock)
    const sequences = this.#sequences
    const count = sequences.begin(input)
    let literals = history.literals
    const last = literals + size
    for (let i = 1; i <= count; i++) {
      sequences.next(i === count)
      if (literals + sequences.literals > last) throw damaged('a sequence of more literals than there are')
      history.copyLiterals(literals, sequences.literals)
      history.copyMatch(sequences.offset, sequences.length)
      literals += sequences.literals
    }
    history.copyLiterals(literals, last - literals)
  }
}
