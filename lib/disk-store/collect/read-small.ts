import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import type { Digest } from '../../digest/index.ts'
import { EventLoopYielder } from '../../internal/concurrency/event-loop-yielder.ts'
import { isErrno } from '../../internal/errno.ts'
import { READ_FLAGS } from '../../internal/record-file.ts'
import { withDescriptor } from '../../internal/with-descriptor.ts'
import { Limits } from '../../oci/index.ts'
import type { DiskContext } from '../disk-context.ts'
import { onDisk } from '../io-error.ts'
import { blobName } from '../places/places.ts'
import { SlicePlaces } from './slice-places.ts'

const NOTHING = new Uint8Array(0)
/** Size of the first read: enough for most manifests. */
const HEAD = 16 * 1024

/**
 * Reads blobs that may be JSON documents; yields to the event loop every 8 ms.
 *
 * PERF: 10,000 manifests take 0.3 s of processor time; through the thread pool 1.1 s.
 */
export class SmallReader {
  readonly #yielder = new EventLoopYielder()
  readonly #head = Buffer.allocUnsafeSlow(HEAD)
  readonly #places: SlicePlaces
  #pendingYield: Promise<void> | undefined

  constructor({ places }: DiskContext) {
    this.#places = new SlicePlaces(places)
  }

  /**
   * Resolves to the bytes of a blob; to an empty array if it cannot be a JSON document; to `undefined` if it does not
   * exist.
   */
  async read(digest: Digest): Promise<Uint8Array | undefined> {
    // Concurrent calls share one yield; then they run one after the other until the next yield is due.
    while (this.#yielder.shouldYield()) await this.#yield()
    return onDisk({ act: 'read', path: blobName(digest) }, () =>
      // A document in the trash is still read for its references.
      withDescriptor(
        async () => this.#readNow(this.#places.blob(digest)) ?? this.#readNow(this.#places.trashed(digest)),
      ),
    )
  }

  #yield(): Promise<void> {
    this.#pendingYield ??= this.#yielder.yield().finally(() => {
      this.#places.renew()
      this.#pendingYield = undefined
    })
    return this.#pendingYield
  }

  #readNow(path: string): Uint8Array | undefined {
    const file = openIfThere(path)
    if (file === undefined) return undefined
    try {
      const stats = fstatSync(file)
      if (!stats.isFile() || stats.size > Limits.manifestBytes) return NOTHING
      const head = this.#head.subarray(0, readSync(file, this.#head, 0, HEAD, 0))
      if (!isJsonStart(head)) return NOTHING
      const bytes = Buffer.allocUnsafeSlow(Math.max(stats.size, head.byteLength))
      head.copy(bytes)
      let length = head.byteLength
      for (let more = length === HEAD ? 1 : 0; more > 0 && length < bytes.byteLength; length += more) {
        more = readSync(file, bytes, length, bytes.byteLength - length, length)
      }
      return bytes.subarray(0, length)
    } finally {
      closeSync(file)
    }
  }
}

function openIfThere(path: string): number | undefined {
  try {
    return openSync(path, READ_FLAGS)
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTDIR', 'ELOOP', 'ENXIO')) return undefined
    throw error
  }
}

function isJsonStart(bytes: Buffer): boolean {
  let i = 0
  while (i < bytes.length && (bytes[i] === 0x20 || (bytes[i]! >= 0x09 && bytes[i]! <= 0x0d))) i++
  return bytes[i] === 0x7b
}
