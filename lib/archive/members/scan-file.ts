import type { AbortOptions } from '../../internal/abort.ts'
import { collectBytes } from '../../internal/collect-bytes.ts'
import { type ScannedHeader, TarScanner } from '../../tar/index.ts'
import { invalidArchive } from '../invalid-archive.ts'
import type { ArchiveFile } from './archive-file.ts'
import { blobDigest, MemberTable } from './member-table.ts'

const BLOCK = 512
const READ_AHEAD = 64 * 1024
/** Placeholder for skipped content: the scanner counts the bytes of a body and does not read them. */
const BODY = Buffer.alloc(1024 * 1024)

/**
 * Scans a plain archive on disk. Reads the headers only: the time depends on the number of entries, not on their size.
 *
 * @throws {@link FormatError} `ERR_INVALID_TAR`.
 */
export async function scanFile(file: ArchiveFile, options: AbortOptions = {}): Promise<MemberTable> {
  const table = new MemberTable()
  const scanner = new TarScanner()
  const window = new Window(file)
  let zeroBlocks = 0
  for (let at = 0; at < file.size && zeroBlocks < 2; ) {
    options.signal?.throwIfAborted()
    const block = await window.at(at, options)
    at += block.byteLength
    zeroBlocks = block.every(byte => byte === 0) ? zeroBlocks + 1 : 0
    const header = feed(scanner, block)
    if (!header) continue
    if (header.sparse) throw invalidArchive(`${JSON.stringify(header.path)} is a sparse file`)
    const size = header.size + (-header.size & (BLOCK - 1))
    // SAFETY: a header may declare more bytes than the file has; reads past the end would fail later, in the middle of
    // an image.
    if (at + size > file.size) throw invalidArchive(`it ends inside the file ${JSON.stringify(header.path)}`)
    for (let left = size; left > 0; left -= BODY.byteLength) feed(scanner, BODY.subarray(0, left))
    at += size
    table.add(header, header.type === 'file' ? memberOf(file, header) : undefined)
  }
  scanner.end()
  return table
}

/** PERF: small files lie close together, so one read returns the headers of many. */
class Window {
  readonly #file: ArchiveFile
  #bytes: Uint8Array = new Uint8Array()
  #start = 0

  constructor(file: ArchiveFile) {
    this.#file = file
  }

  /** Resolves to the block at an offset, or to the rest of the file if it is shorter. */
  async at(place: number, options: AbortOptions): Promise<Uint8Array> {
    const end = Math.min(place + BLOCK, this.#file.size)
    if (place < this.#start || end > this.#start + this.#bytes.byteLength) {
      const size = Math.min(READ_AHEAD, this.#file.size - place)
      this.#bytes = await collectBytes(this.#file.read(place, size, options), READ_AHEAD, 'tar headers')
      this.#start = place
    }
    return this.#bytes.subarray(place - this.#start, end - this.#start)
  }
}

/** Feeds bytes to the scanner, and returns the header that ends with them, if any. Bodies are skipped. */
function feed(scanner: TarScanner, bytes: Uint8Array): ScannedHeader | undefined {
  scanner.push(bytes)
  for (let found = scanner.next(); found; found = scanner.next()) if (!(found instanceof Uint8Array)) return found
  return undefined
}

function memberOf(file: ArchiveFile, { path, size, offset }: ScannedHeader) {
  return {
    path,
    size,
    digest: blobDigest(path),
    read: (options: { offset?: number | undefined; length?: number | undefined } & AbortOptions = {}) => {
      const start = Math.min(options.offset ?? 0, size)
      return file.read(offset + start, Math.min(options.length ?? size, size - start), options)
    },
  }
}
