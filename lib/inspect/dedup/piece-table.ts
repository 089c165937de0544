import type { DedupLevel, KeptBytes } from './dedup-report.ts'

/** Pieces of one level: each is kept once, and counts for the image that has it first. */
export class PieceTable {
  readonly #level: DedupLevel['level']
  readonly #known = new Set<string>()
  readonly #sizes: number[] = []
  readonly #added: { bytes: number; compressedBytes: number | undefined; indexBytes: number }[] = []
  #references = 0

  constructor(level: DedupLevel['level']) {
    this.#level = level
  }

  /** Begins the next image. Without `compressed` no piece has a compressed size. */
  beginImage(compressed: boolean): void {
    this.#added.push({ bytes: 0, compressedBytes: compressed ? 0 : undefined, indexBytes: 0 })
  }

  /** Counts a reference to a piece; returns true if the piece is new and must be added. */
  refer(key: string): boolean {
    this.#references++
    if (this.#known.has(key)) return false
    this.#known.add(key)
    return true
  }

  /** Adds a new piece. */
  add(bytes: number, compressedBytes: number | undefined): void {
    const image = this.#added.at(-1)!
    this.#sizes.push(bytes)
    image.bytes += bytes
    if (image.compressedBytes !== undefined) image.compressedBytes += compressedBytes ?? 0
  }

  /** Adds bytes of the index. */
  addIndex(bytes: number): void {
    this.#added.at(-1)!.indexBytes += bytes
  }

  report(): DedupLevel {
    const sorted = Float64Array.from(this.#sizes).sort()
    const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0
    return {
      level: this.#level,
      pieces: sorted.length,
      references: this.#references,
      ...sumOf(this.#added.map(kept)),
      medianBytes: at(0.5),
      p95Bytes: at(0.95),
      added: this.#added.map(kept),
    }
  }
}

function kept({
  bytes,
  compressedBytes,
  indexBytes,
}: { [K in keyof KeptBytes]-?: KeptBytes[K] | undefined }): KeptBytes {
  return { bytes: bytes!, ...(compressedBytes === undefined ? {} : { compressedBytes }), indexBytes: indexBytes! }
}

function sumOf(all: readonly KeptBytes[]): KeptBytes {
  const sum = { bytes: 0, compressedBytes: 0, indexBytes: 0 }
  for (const { bytes, compressedBytes = 0, indexBytes } of all) {
    sum.bytes += bytes
    sum.compressedBytes += compressedBytes
    sum.indexBytes += indexBytes
  }
  const isMeasured = all.every(({ compressedBytes }) => compressedBytes !== undefined)
  return isMeasured ? sum : { bytes: sum.bytes, indexBytes: sum.indexBytes }
}
