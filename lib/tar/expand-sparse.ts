import { SparseCursor } from './read/sparse/sparse-cursor.ts'
import type { SparseRegion } from './tar-entry.ts'

/** Bytes of a hole that are given out at a time. */
const HOLE_PIECE = 64 * 1024

/** Some bytes, of a file or of what is stored of it. */
interface Range {
  readonly offset: number
  readonly length: number
}

/**
 * Some bytes of a sparse file, holes as zeros. `open` gives bytes of what is stored, counted from where that begins; it is
 * called once.
 *
 * @internal
 */
export async function* expandSparse(
  regions: readonly SparseRegion[],
  range: Range,
  open: (stored: Range) => AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array, void, undefined> {
  const { parts, stored } = clip(regions, range)
  const cursor = new SparseCursor(parts, range.length)
  yield* holeAt(cursor)
  for await (const chunk of open(stored)) {
    for (let at = 0; at < chunk.byteLength && cursor.data > 0; ) {
      const size = Math.min(cursor.data, chunk.byteLength - at)
      cursor.advance(size)
      yield chunk.subarray(at, at + size)
      at += size
      yield* holeAt(cursor)
    }
  }
}

function* holeAt(cursor: SparseCursor): Generator<Uint8Array, void, undefined> {
  while (cursor.hole > 0) {
    const size = Math.min(cursor.hole, HOLE_PIECE)
    cursor.advance(size)
    yield new Uint8Array(size)
  }
}

/** The regions inside a range, counted from its begin, and where their bytes are stored. */
function clip(regions: readonly SparseRegion[], range: Range): { parts: SparseRegion[]; stored: Range } {
  const parts: SparseRegion[] = []
  let before = 0
  let length = 0
  for (const region of regions) {
    const from = Math.max(region.offset, range.offset)
    const to = Math.min(region.offset + region.length, range.offset + range.length)
    if (from < to) {
      parts.push({ offset: from - range.offset, length: to - from })
      length += to - from
    }
    // Only what lies before the range itself; of regions behind it nothing is wanted.
    if (region.offset < range.offset) before += Math.min(region.length, range.offset - region.offset)
  }
  return { parts, stored: { offset: before, length } }
}
