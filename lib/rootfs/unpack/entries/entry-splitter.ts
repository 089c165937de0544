import { type ScannedHeader, type SparseRegion, type TarLimits, TarScanner } from '../../../tar/index.ts'
import type { TreeWriter } from './tree-writer.ts'

type EntryWriter = Pick<TreeWriter, 'begin' | 'write' | 'leaveHole' | 'end'>

/**
 * Splits an archive that arrives in pieces into entries for the tree writer, synchronously. If the scanner rejects an
 * entry, all earlier entries have been written, as if the archive were read entry by entry.
 */
export class EntrySplitter {
  readonly #writer: EntryWriter
  readonly #scanner: TarScanner
  /** Bytes that remain of the current file. */
  #left = 0
  #size = 0
  /** Regions of a sparse file that are still to come, last first; the bytes between them are holes. */
  #regions: SparseRegion[] | undefined

  constructor(writer: EntryWriter, limits?: TarLimits) {
    this.#writer = writer
    this.#scanner = new TarScanner(limits)
  }

  /** Takes the next piece. The caller may reuse it afterwards. */
  take(piece: Uint8Array): void {
    this.#scanner.push(piece)
    for (let found = this.#scanner.next(); found; found = this.#scanner.next()) {
      if (found instanceof Uint8Array) this.#write(found)
      else this.#begin(found)
    }
  }

  /** Call it at the end of the archive. */
  end(): void {
    this.#scanner.end()
  }

  #begin({ offset: _, sparse, ...header }: ScannedHeader): void {
    this.#writer.begin(header)
    if (header.type !== 'file') return
    this.#left = header.size
    this.#size = header.size
    this.#regions = sparse?.toReversed()
    if (header.size === 0) this.#writer.end()
  }

  #write(content: Uint8Array): void {
    if (this.#regions && this.#isHole(this.#regions)) this.#writer.leaveHole(content.byteLength)
    else this.#writer.write(content)
    this.#left -= content.byteLength
    if (this.#left === 0) this.#writer.end()
  }

  /** Whether what comes next of a sparse file is a hole: the scanner gives holes and regions apart. */
  #isHole(regions: SparseRegion[]): boolean {
    const at = this.#size - this.#left
    for (let next = regions.at(-1); next; next = regions.at(-1)) {
      if (at < next.offset + next.length) return at < next.offset
      regions.pop()
    }
    return true
  }
}
