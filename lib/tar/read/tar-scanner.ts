import { LimitError } from '../../errors/index.ts'
import type { ScannedHeader } from '../tar-entry.ts'
import { type CompleteTarLimits, completeLimits, type TarLimits } from '../tar-limits.ts'
import { ChunkCursor } from './chunk-cursor.ts'
import { EntryContent } from './entry-content.ts'
import { type DraftHeader, entryHeader, paxSize } from './entry-header.ts'
import { Extensions, type OpenExtension } from './extensions.ts'
import { BLOCK, invalid, isZeroBlock, padded, parseHeader } from './header-block.ts'
import { ContentMap } from './sparse/content-map.ts'
import { paxSparse } from './sparse/pax-sparse.ts'
import { sparseRegions } from './sparse/sparse-regions.ts'

/** A sparse file whose map, which precedes its content, is still being read. */
interface OpenSparse {
  readonly header: DraftHeader
  readonly stored: number
  readonly map: ContentMap
  readonly at: number
}

/**
 * Reads an archive without promises: the caller pushes chunks and pulls headers and pieces of content. {@link readTar}
 * uses it and has the same rules. Use it for bytes that pass by on their way elsewhere. The limits bound its memory,
 * not the archive.
 *
 * @example
 * ```ts
 * const scanner = new TarScanner()
 * for await (const chunk of tar) {
 *   scanner.push(chunk)
 *   for (let found = scanner.next(); found; found = scanner.next()) {
 *     if (!(found instanceof Uint8Array)) console.log(found.path, found.offset)
 *   }
 * }
 * scanner.end()
 * ```
 */
export class TarScanner {
  readonly #limits: CompleteTarLimits
  readonly #cursor = new ChunkCursor()
  readonly #content: EntryContent
  readonly #pending: Extensions
  #extension: OpenExtension | undefined
  #sparse: OpenSparse | undefined
  #padding = 0
  #zeroBlock = false
  #ended = false
  #entries = 0
  #bytes = 0

  /** Begins with an archive. */
  constructor(limits: TarLimits = {}) {
    this.#limits = completeLimits(limits)
    this.#content = new EntryContent(this.#cursor, this.#limits.maxRatio)
    this.#pending = new Extensions(this.#limits)
  }

  /** Hands over the next chunk. The last one must have been used up; this one must not change until it is. */
  push(chunk: Uint8Array): void {
    this.#cursor.push(chunk)
  }

  /**
   * Returns the next item: the header of an entry, or a piece of the content of the last entry (a view of the chunk, or
   * zeros of a hole); `undefined` if the chunk is used up.
   *
   * @throws {@link FormatError} `ERR_INVALID_TAR`, {@link LimitError} `ERR_LIMIT_EXCEEDED`; do not call it again then.
   */
  next(): ScannedHeader | Uint8Array | undefined {
    for (;;) {
      if (this.#content.isOpen) {
        const piece = this.#content.next()
        if (piece || this.#content.isOpen) return piece
      } else if (this.#padding > 0) {
        this.#padding -= this.#cursor.skip(this.#padding)
        if (this.#padding > 0) return undefined
      } else if (this.#extension) {
        if (!this.#collect(this.#extension)) return undefined
      } else if (this.#ended) {
        this.#cursor.skip(Number.POSITIVE_INFINITY)
        return undefined
      } else {
        const base = this.#cursor.nextBlock()
        if (base < 0) return undefined
        const header = this.#sparse ? this.#takeMap(this.#sparse, base) : this.#takeBlock(base)
        if (header) return header
      }
    }
  }

  /**
   * Skips a hole of a sparse file, if the content of the last entry continues with one. Returns the number of its
   * zeros, which {@link TarScanner.next} would return in pieces.
   */
  passHole(): number {
    return this.#content.passHole()
  }

  /** Leaves out what is still to come of the content of the last entry. */
  skip(): void {
    this.#content.skip()
  }

  /**
   * To be called when the stream has ended. A missing end mark is no fault.
   *
   * @throws {@link FormatError} `ERR_INVALID_TAR` if the archive is not complete.
   */
  end(): void {
    const { offset, filled } = this.#cursor
    if (offset === 0 && filled > 0) throw invalid('not a tar archive: it is shorter than one tar header', filled)
    const isInside = filled > 0 || this.#padding > 0 || this.#content.isOpen
    if (isInside || this.#extension || this.#sparse) throw invalid('archive is truncated', offset + filled)
    if (this.#pending.any) throw invalid('extended header without an entry', offset)
  }

  #takeBlock(base: number): ScannedHeader | undefined {
    const at = this.#cursor.offset - BLOCK
    const { block } = this.#cursor
    if (block[base] === 0 && isZeroBlock(block, base)) return this.#takeZeroBlock(at)
    if (this.#zeroBlock) throw invalid('entry after a zero block', at)
    const raw = parseHeader(block, base, at)
    this.#extension = this.#pending.open(raw.flag, raw.size, at)
    if (this.#extension) return undefined
    const { pax } = this.#pending
    const stored = paxSize(pax, at) ?? raw.size
    const sparse = pax && paxSparse(pax, at)
    const { maxPathBytes } = this.#limits
    const header = entryHeader({ block, base, raw, extensions: this.#pending, sparse, stored, at, maxPathBytes })
    this.#pending.clear()
    this.#count(header)
    if (!sparse) return this.#begin(header, stored)
    if (sparse.map) return this.#beginSparse(header, stored, sparse.map, at)
    this.#sparse = { header, stored, map: new ContentMap(), at }
    return undefined
  }

  #takeZeroBlock(at: number): undefined {
    if (this.#pending.any) throw invalid('extended header without an entry', at)
    this.#ended = this.#zeroBlock
    this.#zeroBlock = true
  }

  #collect(extension: OpenExtension): boolean {
    const { body } = extension
    if (extension.filled < body.byteLength) {
      const piece = this.#cursor.take(body.byteLength - extension.filled)
      if (!piece) return false
      body.set(piece, extension.filled)
      extension.filled += piece.byteLength
      if (extension.filled < body.byteLength) return false
    }
    this.#extension = undefined
    this.#padding = padded(body.byteLength) - body.byteLength
    this.#pending.close(extension, this.#cursor.offset - body.byteLength)
    return true
  }

  #takeMap({ header, stored, map, at }: OpenSparse, base: number): ScannedHeader | undefined {
    const left = stored - (map.blocks + 1) * BLOCK
    if (left < 0) throw invalid('sparse map that is longer than its content', at)
    const numbers = map.take(this.#cursor.block, base, at)
    if (!numbers) return undefined
    this.#sparse = undefined
    return this.#beginSparse(header, left, numbers, at)
  }

  #beginSparse(header: DraftHeader, stored: number, numbers: readonly number[], at: number): ScannedHeader {
    header.sparse = sparseRegions(numbers, { size: header.size, stored }, at)
    this.#content.openSparse(stored, header.sparse, header.size)
    return this.#place(header)
  }

  #begin(header: DraftHeader, stored: number): ScannedHeader {
    this.#content.open(stored)
    return this.#place(header)
  }

  #place(header: DraftHeader): ScannedHeader {
    header.offset = this.#cursor.offset
    return header
  }

  #count({ size }: ScannedHeader): void {
    const { maxBytes, maxEntries } = this.#limits
    this.#entries++
    this.#bytes += size
    if (this.#entries > maxEntries)
      throw new LimitError('entries of a tar', { limit: maxEntries, actual: this.#entries })
    if (this.#bytes > maxBytes) {
      throw new LimitError('bytes of content of a tar', { limit: maxBytes, actual: this.#bytes })
    }
  }
}
