import { FormatError } from '../../errors/index.ts'
import type { AbortOptions } from '../../internal/abort.ts'
import type { ByteSource } from '../../internal/byte-source.ts'
import { type Borrowed, borrowed } from '../../internal/memory/borrowed.ts'
import { findXattrPackage } from '../../internal/xattr-access.ts'
import type { TarEntryType } from '../../tar/index.ts'
import { DirectoryScan, type ScanOptions } from './directory-scan.ts'
import { fileContent } from './file-content.ts'
import { type ReadBatch, readHere, readInThread, type ScanReader } from './scan-reader.ts'
import type { SourceEntry, SourceStep } from './source-entry.ts'
import { SourceReadFailure, sourceError } from './source-fault.ts'
import { loadXattrLister } from './xattrs.ts'

/** Options of {@link readDirectory}. */
export interface ReadDirectoryOptions extends ScanOptions, AbortOptions {
  /** Filter. It is called on the calling thread, so all reading happens there too. */
  readonly accept?: ((path: string, type: TarEntryType) => boolean) | undefined
  /** True if `fs-xattr` reads extended attributes. */
  readonly xattrs: boolean
  readonly reader: 'thread' | 'inline'
}

/** An entry of a directory. The content of a file can be read more than once; it is cheapest before the next entry. */
export interface ReadEntry {
  readonly entry: SourceEntry
  readonly content: () => ByteSource
}

/** PERF: bytes read on the calling thread before a worker thread starts; a smaller directory is not worth a thread. */
const FIRST_BYTES = 1024 * 1024
const FIRST_ENTRIES = 200

/**
 * Yields the entries of a directory, as many at once as have been read. The content of an entry is in its batch, or
 * follows in the next ones. Content is kept for two batches, so that memory does not grow if a caller collects entries.
 * A later reader of the content gets it from the file, if the file is unchanged. So does a reader of the content of
 * entries that were released.
 */
export async function* readDirectory(
  options: ReadDirectoryOptions,
): AsyncGenerator<Borrowed<readonly ReadEntry[]>, void, undefined> {
  options.signal?.throwIfAborted()
  const steps = new StepQueue(await openReader(options), options.signal)
  try {
    for (let begun = await steps.nextEntries(); begun; begun = await steps.nextEntries()) {
      options.signal?.throwIfAborted()
      const entries = begun.value.map(step => entryOf(step, steps, options))
      yield { value: entries, release: begun.release }
    }
  } finally {
    await steps.stop()
  }
}

async function openReader(options: ReadDirectoryOptions): Promise<ScanReader> {
  const xattrs = options.xattrs ? await loadXattrLister() : undefined
  const { root, ignore, hardLinks, contents, accept } = options
  const scanned = { root, ignore, hardLinks, contents }
  const scan = openScan(() => new DirectoryScan(scanned, { accept, xattrs }))
  const first = readHere(scan)
  if (options.reader === 'inline' || accept) return first
  let reader = first
  let [bytes, entries] = [0, 0]
  return {
    async next() {
      const enough = bytes >= FIRST_BYTES || entries >= FIRST_ENTRIES
      const state = enough && reader === first && !scan.done ? scan.leave() : undefined
      if (state) {
        const start = { options: scanned, xattrs: options.xattrs ? findXattrPackage() : undefined, state }
        reader = await readInThread(start, () => first, options.signal)
      }
      const batch = await reader.next()
      bytes += batch.bytes.value.byteLength
      entries += batch.steps.length
      return batch
    },
    async stop() {
      await first.stop()
      await reader.stop()
    },
  }
}

function openScan(open: () => DirectoryScan): DirectoryScan {
  try {
    return open()
  } catch (error) {
    throw error instanceof SourceReadFailure ? sourceError(error.fault) : error
  }
}

/** Bytes of a batch while they are kept. */
interface HeldBytes {
  bytes: Uint8Array<ArrayBuffer> | undefined
}

interface QueuedStep extends SourceStep {
  readonly held: HeldBytes
}

/** The first step of an entry. */
type FirstStep = QueuedStep & { readonly entry: SourceEntry }

/** Splits batches into steps. */
class StepQueue {
  readonly #reader: ScanReader
  readonly #signal: AbortSignal | undefined
  readonly #held: HeldBytes[] = []
  #batch: ReadBatch | undefined
  #at = 0
  /** Number of borrowed lists of entries with content in the batch; `#released` is true once one was released. */
  #borrowed = 0
  #released = false
  /** Number of entries so far; the content of an entry detects by it that the next entry has begun. */
  entries = 0

  constructor(reader: ScanReader, signal: AbortSignal | undefined) {
    this.#reader = reader
    this.#signal = signal
  }

  /** Resolves to the next step, for the rest of an entry's content. */
  async next(): Promise<QueuedStep | undefined> {
    if (!(await this.#isFilled())) return undefined
    const step = this.#batch!.steps[this.#at++]!
    if (step.entry) this.entries++
    return { ...step, held: this.#held.at(-1)! }
  }

  /**
   * Lends the entries that begin in the bytes read so far; only the last one may have more content. Skips the rest of
   * the content of the entry before them.
   */
  async nextEntries(): Promise<Borrowed<readonly FirstStep[]> | undefined> {
    const found: FirstStep[] = []
    while (found.length === 0) {
      if (!(await this.#isFilled())) return undefined
      const { steps } = this.#batch!
      const held = this.#held.at(-1)!
      while (this.#at < steps.length && found.at(-1)?.last !== false) {
        const { entry, offset, length, last } = steps[this.#at++]!
        if (entry) found.push({ entry, offset, length, last, held })
      }
    }
    this.entries += found.length
    return this.#lend(found)
  }

  #lend(entries: readonly FirstStep[]): Borrowed<readonly FirstStep[]> {
    const batch = this.#batch
    this.#borrowed++
    return borrowed(entries, () => {
      if (batch !== this.#batch) return
      this.#borrowed--
      this.#released = true
    })
  }

  /** Resolves to whether there is another step; reads the next batch if necessary. */
  async #isFilled(): Promise<boolean> {
    while (!this.#batch || this.#at === this.#batch.steps.length) {
      if (this.#batch?.fault) throw sourceError(this.#batch.fault)
      if (this.#batch?.done) return false
      this.#signal?.throwIfAborted()
      if (this.#released && this.#borrowed === 0) this.#releaseBytes()
      this.#batch = await this.#reader.next()
      this.#at = 0
      this.#borrowed = 0
      this.#released = false
      this.#held.push({ bytes: this.#batch.bytes.value })
      if (this.#held.length > 2) this.#held.shift()!.bytes = undefined
    }
    return true
  }

  /** Releases the bytes of the batch: all lists of its entries have been released. */
  #releaseBytes(): void {
    this.#held.at(-1)!.bytes = undefined
    this.#batch?.bytes.release()
  }

  stop(): Promise<void> {
    return this.#reader.stop()
  }
}

function entryOf(first: FirstStep, steps: StepQueue, options: ReadDirectoryOptions): ReadEntry {
  const { entry } = first
  const again = () => fileContent(`${options.root}/${entry.path}`, entry, options.signal)
  if (entry.type !== 'file') return { entry, content: noContent }
  if (!options.contents) return { entry, content: () => (entry.size === 0 ? new Uint8Array() : again()) }
  if (first.last) return { entry, content: () => bytesOf(first) ?? again() }
  const number = steps.entries
  let taken = false
  return {
    entry,
    content() {
      const held = bytesOf(first)
      if (taken || steps.entries !== number || !held) return again()
      taken = true
      return pieces(held, () => nextPiece(entry, number, steps))
    },
  }
}

function noContent(): Uint8Array {
  return new Uint8Array()
}

function bytesOf({ held, offset, length }: QueuedStep): Uint8Array | undefined {
  return length === 0 ? new Uint8Array() : held.bytes?.subarray(offset, offset + length)
}

async function* pieces(
  first: Uint8Array,
  next: () => Promise<QueuedStep>,
): AsyncGenerator<Uint8Array, void, undefined> {
  yield first
  for (let last = false; !last; ) {
    const piece = await next()
    last = piece.last
    if (piece.length > 0) yield bytesOf(piece)!
  }
}

async function nextPiece({ path }: SourceEntry, number: number, steps: StepQueue): Promise<QueuedStep> {
  const piece = steps.entries === number ? await steps.next() : undefined
  if (piece && !piece.entry && steps.entries === number) return piece
  const what = `the content of ${JSON.stringify(path)} was left for the next entry`
  throw new FormatError('ERR_INVALID_ARGUMENT', what)
}
