import {
  blockChecksum,
  compressGzipBlocks,
  exactBlocks,
  GZIP_BLOCK,
  GZIP_HEADER,
  GZIP_WINDOW,
  type GzipBlock,
  openGzipBlock,
} from '../../compression/index.ts'
import type { DigestCheckpoint, StreamDigester } from '../../digest/index.ts'
import type { AbortOptions } from '../../internal/abort.ts'
import { collectBytes } from '../../internal/collect-bytes.ts'
import { owned } from '../../internal/memory/borrowed.ts'
import type { BlobReader } from '../../store/index.ts'
import type { BlockRow } from './block-table.ts'
import type { LayerLayout } from './layer-layout.ts'
import { packedBlocks, ReuseFailure } from './packed-blocks.ts'
import type { ReusePlan } from './reuse-plan.ts'
import { tarRange } from './tar-range.ts'

/** Parts of a {@link KnownCompression}. */
export interface KnownCompressionParts extends AbortOptions {
  readonly store: Partial<Pick<BlobReader, 'read'>>
  readonly layout: LayerLayout
  readonly plan: ReusePlan | undefined
  readonly level: number
  /** The diffID, at the state after the skipped blocks of the plan. */
  readonly digester: StreamDigester
  /** True if the digester can save its state. */
  readonly savesState: boolean
  readonly onBytes: (bytes: number) => void
}

/**
 * Compresses a layer of known entries, as `compress` does, and takes the blocks that a stored layer has from there.
 * Blocks at the start are copied without opening them; later ones are opened for the diffID, which costs a fraction of
 * compressing them.
 */
export class KnownCompression {
  readonly #parts: KnownCompressionParts
  readonly #states: (Promise<DigestCheckpoint> | undefined)[] = []
  readonly #rows: Omit<BlockRow, 'state'>[] = []

  constructor(parts: KnownCompressionParts) {
    this.#parts = parts
  }

  /** Rows of the table of the new layer; call it at the end. */
  async rows(): Promise<readonly BlockRow[]> {
    const { plan } = this.#parts
    const skipped = plan?.table.rows.slice(0, plan.skipped) ?? []
    const states = await Promise.all(this.#states)
    return [...skipped, ...this.#rows.map((row, i) => ({ ...row, state: states[i] }))]
  }

  /** Yields the compressed layer. Read it once. */
  async *bytes(): AsyncGenerator<Uint8Array, void, undefined> {
    const { layout, plan, level, signal } = this.#parts
    const skipped = plan?.skipped ?? 0
    yield GZIP_HEADER.slice()
    if (skipped > 0) yield* this.#packed(0, skipped)
    let at = skipped
    yield* compressGzipBlocks(this.#blocks(skipped), {
      level,
      concurrency: 4,
      signal,
      begin: skipped > 0 ? await this.#begin(skipped) : undefined,
      onBlock: ({ packed, checksum }) => {
        this.#rows.push({
          key: layout.keys[at++]!,
          length: packed.byteLength,
          packedChecksum: blockChecksum(packed),
          checksum,
        })
      },
    })
  }

  async #begin(block: number) {
    const { layout, plan } = this.#parts
    const size = Math.min(block * GZIP_BLOCK, layout.bytes)
    const { checksum } = plan!.table.rows[block - 1]!
    // After the last block no block needs a window.
    const needsWindow = block < layout.keys.length
    return { checksum, size, dictionary: needsWindow ? await this.#window(size) : new Uint8Array() }
  }

  async #window(end: number): Promise<Uint8Array> {
    return collectBytes(tarRange(this.#parts.layout, end - GZIP_WINDOW, end, this.#parts), GZIP_WINDOW, 'window')
  }

  /** Yields the blocks from `first` on: runs of blocks that are made, and runs of blocks that are opened. */
  async *#blocks(first: number): AsyncGenerator<GzipBlock, void, undefined> {
    const { layout, plan } = this.#parts
    const count = layout.keys.length
    let window: Uint8Array | undefined
    for (let from = first; from < count; ) {
      const row = plan?.rows[from] ?? -1
      let to = from + 1
      while (to < count && (plan?.rows[to] ?? -1) === (row < 0 ? -1 : row + to - from)) to++
      if (row >= 0 && from > 0) window ??= await this.#window(from * GZIP_BLOCK)
      const run = row < 0 ? this.#made(from, to) : this.#opened([from, to], row, window ?? new Uint8Array())
      for await (const block of run) {
        const { value } = block
        window = Buffer.from(value.subarray(-GZIP_WINDOW))
        await this.#observe(value)
        yield { ...block, last: ++from === count }
      }
    }
  }

  async *#made(from: number, to: number): AsyncGenerator<GzipBlock, void, undefined> {
    const { layout } = this.#parts
    const end = Math.min(to * GZIP_BLOCK, layout.bytes)
    yield* exactBlocks(tarRange(layout, from * GZIP_BLOCK, end, this.#parts), GZIP_BLOCK)
  }

  async *#opened(
    [from, to]: readonly [number, number],
    row: number,
    window: Uint8Array,
  ): AsyncGenerator<GzipBlock, void, undefined> {
    const { layout } = this.#parts
    let at = from
    const open = async (packed: Uint8Array): Promise<GzipBlock> => {
      const size = Math.min(GZIP_BLOCK, layout.bytes - at++ * GZIP_BLOCK)
      const value = await openGzipBlock(packed, window, size).catch(cause => {
        throw new ReuseFailure('a stored block does not open', { cause })
      })
      if (value.byteLength !== size) throw new ReuseFailure('a stored block has another size')
      window = Buffer.from(value.subarray(-GZIP_WINDOW))
      return { ...owned<Uint8Array>(value), packed, last: false }
    }
    // PERF: the next block is opened by a thread of the pool while this one is hashed.
    let ahead: Promise<GzipBlock> | undefined
    try {
      for await (const packed of this.#packed(row, row + to - from)) {
        const opened = await ahead
        ahead = open(packed)
        // It is awaited in the next turn; until then a rejection would be unhandled.
        ahead.catch(() => undefined)
        if (opened) yield opened
      }
      if (ahead) yield await ahead
    } finally {
      await ahead?.catch(() => undefined)
    }
  }

  #packed(from: number, to: number): AsyncGenerator<Uint8Array, void, undefined> {
    const { store, plan, signal } = this.#parts
    return packedBlocks(store as Pick<BlobReader, 'read'>, plan!.table, [from, to], { signal })
  }

  async #observe(bytes: Uint8Array): Promise<void> {
    const { digester, savesState, onBytes } = this.#parts
    await digester.update(bytes)
    const state = savesState ? digester.save() : undefined
    // It is awaited at the end; until then a rejection would be unhandled.
    state?.catch(() => undefined)
    this.#states.push(state)
    onBytes(bytes.byteLength)
  }
}
