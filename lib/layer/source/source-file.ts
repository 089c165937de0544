import { closeSync, fstatSync, readSync, type Stats } from 'node:fs'
import { openFailure, openFile, replacedFailure, sizeFailure } from './open-file.ts'

/** A file that is open, and read as it was when it was opened: all of it and nothing else, or an error. */
export class SourceFile {
  readonly stats: Stats
  readonly #path: string
  readonly #descriptor: number
  #left: number
  #reads = 0

  /** Opens a file that a listing has named. */
  constructor(path: string) {
    this.#path = path
    this.#descriptor = openFile(path)
    this.stats = fstatSync(this.#descriptor)
    this.#left = this.stats.size
    if (this.stats.isFile()) return
    this.close()
    throw replacedFailure(path)
  }

  /** Bytes still to come. */
  get left(): number {
    return this.#left
  }

  /** Whether nothing of it has been read. */
  get fresh(): boolean {
    return this.#reads === 0
  }

  get descriptor(): number {
    return this.#descriptor
  }

  /**
   * Device and inode, exactly: inode numbers of some file systems are over 2^53; rounded, two files would become one.
   */
  identity(): string {
    const { dev, ino } = fstatSync(this.#descriptor, { bigint: true })
    return `${dev}:${ino}`
  }

  /** Reads the next bytes to a place in a buffer. With the last of them the file has been checked, and is closed. */
  read(bytes: Uint8Array, at: number): { readonly length: number; readonly last: boolean } {
    // One byte more than there should be, to notice a file that has grown.
    const wanted = Math.min(bytes.byteLength - at, this.#left + 1)
    const length = this.#readNow(bytes, at, wanted)
    if (length > this.#left || (length === 0 && this.#left > 0)) {
      const { size } = this.stats
      throw sizeFailure(this.#path, size, size - this.#left + length)
    }
    this.#left -= length
    this.#reads++
    const last = length < wanted && this.#left === 0
    if (last) this.#finish()
    return { length, last }
  }

  close(): void {
    closeSync(this.#descriptor)
  }

  #readNow(bytes: Uint8Array, at: number, length: number): number {
    try {
      return readSync(this.#descriptor, bytes, at, length, null)
    } catch (error) {
      throw openFailure(this.#path, error)
    }
  }

  /** A file that was read in pieces must have stayed as it was. */
  #finish(): void {
    const now = this.#reads > 1 ? fstatSync(this.#descriptor) : this.stats
    if (now.mtimeMs !== this.stats.mtimeMs || now.size !== this.stats.size) throw replacedFailure(this.#path)
    this.close()
  }
}
