import { type BigIntStats, closeSync, fstatSync, openSync } from 'node:fs'
import { readIndexBytes } from '../layout.ts'
import type { Places } from '../places/places.ts'
import { READ_FLAGS } from '../places/record-file.ts'
import { type IndexFile, parseIndexFile, takeOrder } from './index-file.ts'

/**
 * Until a file has looked the same for so long, its bytes are read again. File systems write times in ticks of up to 10 ms; those
 * that write whole seconds write every other one (FAT).
 */
const SETTLED_MS = 100
const SETTLED_SECONDS_MS = 3000

/** A file as it looked, and since when. */
interface Look {
  readonly stats: BigIntStats
  readonly sinceMs: number
}

/**
 * What `index.json` says, read again only when the file may have changed.
 *
 * PERF: with 100,000 names the file has 24 MB: to read and compare it takes 10 ms, to look at it 10 µs.
 */
export class IndexCache {
  readonly #places: Places
  #last: IndexFile | undefined
  /** The file that `last` was read from, for the first time. */
  #seen: Look | undefined
  /** The file whose bytes cannot be others than those of `last`. */
  #settled: BigIntStats | undefined

  constructor(places: Places) {
    this.#places = places
  }

  /** What the index says now. */
  async read(): Promise<IndexFile> {
    const look = this.#look()
    if (look && this.#last && this.#settled && isSame(look.stats, this.#settled)) return this.#last
    const file = await this.readNow()
    if (look && file === this.#last) this.#note(look)
    return file
  }

  /** As {@link IndexCache.read}, whatever the file looks like: for changes, which must not be based on what was before. */
  async readNow(): Promise<IndexFile> {
    const bytes = await readIndexBytes(this.#places)
    // PERF: comparing the 2.3 MB of 11,000 names takes 0.2 ms, parsing them 44.
    if (!this.#last || !bytes.equals(this.#last.bytes)) this.keep(parseIndexFile(bytes))
    return this.#last as IndexFile
  }

  /** Takes over what this process has just written. */
  keep(file: IndexFile): void {
    if (this.#last) takeOrder(this.#last, file)
    this.#last = file
    this.#settled = undefined
  }

  /**
   * SAFETY: another tool may write into the file twice within one tick of the clock; bytes that were read in between look as new as
   * those of the second write. So a look counts only if the bytes were read again when the tick was over.
   */
  #note({ stats, sinceMs }: Look): void {
    if (!this.#seen || !isSame(this.#seen.stats, stats)) this.#seen = { stats, sinceMs }
    else if (sinceMs - this.#seen.sinceMs >= settleTime(stats)) this.#settled = stats
  }

  /**
   * NODE: by synchronous calls, through an open file: NFS asks the server for the time of a file when it is opened, not always when
   * it is looked at. `undefined` if that fails: reading it says why, or waits for a descriptor.
   */
  #look(): Look | undefined {
    try {
      const file = openSync(this.#places.index, READ_FLAGS)
      try {
        return { stats: fstatSync(file, { bigint: true }), sinceMs: performance.now() }
      } finally {
        closeSync(file)
      }
    } catch {
      return undefined
    }
  }
}

function settleTime({ mtimeNs, ctimeNs }: BigIntStats): number {
  const wholeSeconds = mtimeNs % 1_000_000_000n === 0n && ctimeNs % 1_000_000_000n === 0n
  return wholeSeconds ? SETTLED_SECONDS_MS : SETTLED_MS
}

function isSame(a: BigIntStats, b: BigIntStats): boolean {
  return a.dev === b.dev && a.ino === b.ino && a.size === b.size && a.mtimeNs === b.mtimeNs && a.ctimeNs === b.ctimeNs
}
