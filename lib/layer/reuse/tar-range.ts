import type { AbortOptions } from '../../internal/abort.ts'
import { inBatches } from '../../internal/memory/batched-iterable.ts'
import { owned } from '../../internal/memory/borrowed.ts'
import { writeTar } from '../../tar/index.ts'
import type { LayerLayout } from './layer-layout.ts'

/** PERF: entries that are handed to the writer together. */
const BATCH = 64

/**
 * Yields the bytes `from` to `to` of the tar of a layer. Opens only the entries that have bytes there, each from its
 * beginning. A piece is valid until the next one is asked for.
 */
export async function* tarRange(
  { entries, ends, bytes }: LayerLayout,
  from: number,
  to: number,
  { signal }: AbortOptions,
): AsyncGenerator<Uint8Array, void, undefined> {
  const first = firstEndAfter(ends, from)
  const last = to >= bytes ? entries.length : Math.min(firstEndAfter(ends, to - 1) + 1, entries.length)
  let at = first === 0 ? 0 : ends[first - 1]!
  const batches = (async function* () {
    for (let i = first; i < last; i += BATCH) {
      const length = Math.min(BATCH, last - i)
      yield owned(Array.from({ length }, (_, j) => entries.at(i + j)!))
    }
  })()
  for await (const piece of writeTar(inBatches(batches), { borrow: true, signal })) {
    const begin = Math.max(0, from - at)
    const end = Math.min(piece.byteLength, to - at)
    if (end > begin) yield piece.subarray(begin, end)
    at += piece.byteLength
    if (at >= to) return
  }
}

/** Index of the first entry that ends after an offset. */
function firstEndAfter(ends: Float64Array, offset: number): number {
  let [low, high] = [0, ends.length]
  while (low < high) {
    const middle = (low + high) >>> 1
    if (ends[middle]! > offset) high = middle
    else low = middle + 1
  }
  return low
}
