import { SparseCursor } from './read/sparse/sparse-cursor.ts'
import type { SparseRegion } from './tar-entry.ts'

/** Number of zero bytes yielded at a time for a hole. */
const HOLE_PIECE = 64 * 1024

/** A byte range, of a file or of its stored bytes. */
interface Range {
  readonly offset: number
  readonly length: number
}

/**
 * Yields a byte range of a sparse file, with zeros for its holes. `open` returns a range of the stored bytes, counted
 * from the first stored byte; it is called once.
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

/** The parts of the regions inside a range, counted from its start, and the range of their stored bytes. */
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
    // Counts only the stored bytes before the range; regions after it are not needed.
    if (region.offset < range.offset) before += Math.min(region.length, range.offset - region.offset)
  }
  return { parts, stored: { offset: before, length } }
}
