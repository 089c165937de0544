import { type ScannedHeader, type TarLimits, TarScanner } from '../../../tar/index.ts'
import type { TreeWriter } from './tree-writer.ts'

/**
 * Cuts an archive that comes in pieces into the entries of a tree's writer, synchronously. What the scanner refuses is
 * refused after everything in front of it was written, as if the archive were read entry by entry.
 */
export class ArchiveCutter {
  readonly #writer: Pick<TreeWriter, 'begin' | 'write' | 'end'>
  readonly #scanner: TarScanner
  /** Bytes that are still to come of the file whose content is passing. */
  #left = 0

  constructor(writer: Pick<TreeWriter, 'begin' | 'write' | 'end'>, limits?: TarLimits) {
    this.#writer = writer
    this.#scanner = new TarScanner(limits)
  }

  /** Takes the next piece. It may be reused after that. */
  take(piece: Uint8Array): void {
    this.#scanner.push(piece)
    for (let found = this.#scanner.next(); found; found = this.#scanner.next()) {
      if (found instanceof Uint8Array) this.#write(found)
      else this.#begin(found)
    }
  }

  /** To be called at the end of the archive. */
  end(): void {
    this.#scanner.end()
  }

  #begin({ offset: _, sparse: __, ...header }: ScannedHeader): void {
    this.#writer.begin(header)
    if (header.type !== 'file') return
    this.#left = header.size
    if (header.size === 0) this.#writer.end()
  }

  #write(content: Uint8Array): void {
    this.#writer.write(content)
    this.#left -= content.byteLength
    if (this.#left === 0) this.#writer.end()
  }
}
