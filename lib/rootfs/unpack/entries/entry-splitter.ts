import { type ScannedHeader, type TarLimits, TarScanner } from '../../../tar/index.ts'
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

  constructor(writer: EntryWriter, limits?: TarLimits) {
    this.#writer = writer
    this.#scanner = new TarScanner(limits)
  }

  /** Takes the next piece. The caller may reuse it afterwards. */
  take(piece: Uint8Array): void {
    this.#scanner.push(piece)
    for (;;) {
      const hole = this.#scanner.passHole()
      if (hole > 0) {
        this.#writer.leaveHole(hole)
        this.#passed(hole)
        continue
      }
      const found = this.#scanner.next()
      if (!found) return
      if (found instanceof Uint8Array) {
        this.#writer.write(found)
        this.#passed(found.byteLength)
      } else this.#begin(found)
    }
  }

  /** Call it at the end of the archive. */
  end(): void {
    this.#scanner.end()
  }

  #begin({ offset: _, sparse: __, ...header }: ScannedHeader): void {
    this.#writer.begin(header)
    this.#left = header.size
    if (header.type === 'file' && header.size === 0) this.#writer.end()
  }

  #passed(bytes: number): void {
    this.#left -= bytes
    if (this.#left === 0) this.#writer.end()
  }
}
