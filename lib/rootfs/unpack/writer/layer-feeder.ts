import type { Borrowed } from '../../../internal/memory/borrowed.ts'
import { Pool } from '../../../internal/memory/pool.ts'
import { NOTHING_WRITTEN, type SkippedDetail, type UnpackCounts } from '../unpack-report.ts'
import type { Writer } from './start-writer.ts'
import type { WriterAnswer } from './writer-messages.ts'

/** Size of one piece in bytes. */
const PIECE_BYTES = 1 << 20
/** Number of pieces in transit or being written: enough to keep both threads busy. */
const PIECES = 4

/** Sends the archives of layers to a writer. At most four pieces of 1 MiB exist, regardless of the size of a layer. */
export class LayerFeeder {
  readonly #writer: Writer
  readonly #onAnswer: (counts: UnpackCounts) => void
  /**
   * PERF: shared, not transferred. 554 MB took 4.9 s of processor time shared and 5.2 s transferred, because each
   * transfer triggers garbage collection.
   */
  readonly #pieces = new Pool(() => new Uint8Array(new SharedArrayBuffer(PIECE_BYTES)))
  readonly #underWay: Promise<void>[] = []
  #piece: Borrowed<Uint8Array<SharedArrayBuffer>> | undefined
  #filled = 0
  /** Metadata and entries that the writer could not apply so far. */
  readonly skipped: SkippedDetail[] = []
  /** Counts of the writer so far. */
  counts: UnpackCounts = NOTHING_WRITTEN

  constructor(writer: Writer, onAnswer: (counts: UnpackCounts) => void) {
    this.#writer = writer
    this.#onAnswer = onAnswer
  }

  /** Sends a whole layer, to be written or scanned for whiteouts; resolves when that is done. */
  async feed(
    act: 'layer' | 'scan',
    name: string,
    archive: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
  ): Promise<void> {
    await this.#writer.ask({ act, name })
    for await (const chunk of archive) await this.#take(chunk)
    await this.#send()
    while (this.#underWay.length > 0) await this.#underWay.shift()
    // Attributes that a program sets are refused at the end of the layer.
    this.#note(await this.#writer.ask({ act: 'layer-end' }))
  }

  /** Resolves when no request is pending, also after a failure. */
  async settle(): Promise<void> {
    await Promise.allSettled(this.#underWay.splice(0))
  }

  async #take(chunk: Uint8Array): Promise<void> {
    for (let done = 0; done < chunk.byteLength; ) {
      this.#piece ??= await this.#nextPiece()
      const { value: piece } = this.#piece
      const part = chunk.subarray(done, done + piece.byteLength - this.#filled)
      piece.set(part, this.#filled)
      this.#filled += part.byteLength
      done += part.byteLength
      if (this.#filled === piece.byteLength) await this.#send()
    }
  }

  async #nextPiece(): Promise<Borrowed<Uint8Array<SharedArrayBuffer>>> {
    while (this.#pieces.borrowed >= PIECES) await this.#underWay.shift()
    return this.#pieces.borrow()
  }

  async #send(): Promise<void> {
    if (!this.#piece) return
    const { value, release } = this.#piece
    const length = this.#filled
    this.#piece = undefined
    this.#filled = 0
    const written = this.#writer.ask({ act: 'bytes', bytes: value.buffer, length }).then(answer => {
      release()
      this.#note(answer)
      this.#onAnswer(this.counts)
    })
    // `settle` or the next piece reports the failure; without a handler here, Node would see an unhandled rejection
    // first.
    written.catch(() => undefined)
    this.#underWay.push(written)
  }

  #note({ counts, skipped }: WriterAnswer): void {
    this.counts = counts
    for (const detail of skipped) this.skipped.push(detail)
  }
}
