import { closeSync, fstatSync, readSync, type Stats } from 'node:fs'
import { openFailure, openFile, replacedFailure, sizeFailure } from './open-file.ts'

/** An open file. It yields exactly the content that the file had when it was opened, or an error. */
export class SourceFile {
  readonly stats: Stats
  readonly #path: string
  readonly #descriptor: number
  #left: number
  #reads = 0

  /** Opens a listed file. */
  constructor(path: string) {
    this.#path = path
    this.#descriptor = openFile(path)
    this.stats = fstatSync(this.#descriptor)
    this.#left = this.stats.size
    if (this.stats.isFile()) return
    this.close()
    throw replacedFailure(path)
  }

  /** Number of remaining bytes. */
  get left(): number {
    return this.#left
  }

  /** True if nothing of the file has been read. */
  get fresh(): boolean {
    return this.#reads === 0
  }

  get descriptor(): number {
    return this.#descriptor
  }

  /**
   * Device and inode, exactly: some file systems have inode numbers above 2^53, and rounding could make two files
   * equal.
   */
  identity(): string {
    const { dev, ino } = fstatSync(this.#descriptor, { bigint: true })
    return `${dev}:${ino}`
  }

  /** Reads the next bytes into a buffer. After the last bytes the file is verified and closed. */
  read(bytes: Uint8Array, at: number): { readonly length: number; readonly last: boolean } {
    // One more byte than expected, to detect a file that has grown.
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

  /** Verifies that a file that was read in several pieces has not changed. */
  #finish(): void {
    const now = this.#reads > 1 ? fstatSync(this.#descriptor) : this.stats
    if (now.mtimeMs !== this.stats.mtimeMs || now.size !== this.stats.size) throw replacedFailure(this.#path)
    this.close()
  }
}
