import { createRandom } from '../corpora/random.mjs'

const GEAR = gearTable()

/**
 * Splits bytes at content-defined boundaries (FastCDC: a gear hash, and two masks that keep sizes near the mean), so
 * that an insertion changes only the chunks around it.
 */
export function* chunksOf(bytes, { min = 2048, mean = 8192, max = 65_536 } = {}) {
  const bits = Math.log2(mean)
  // Below the mean a cut is four times as unlikely as chance, above it four times as likely.
  const [strict, loose] = [maskOf(bits + 2), maskOf(bits - 2)]
  for (let start = 0; start < bytes.length; ) {
    const end = cutAfter(bytes, start, Math.min(start + max, bytes.length), { min, mean, strict, loose })
    yield bytes.subarray(start, end)
    start = end
  }
}

function cutAfter(bytes, start, limit, { min, mean, strict, loose }) {
  const middle = Math.min(start + mean, limit)
  let hash = 0
  // The hash forgets a byte after 32 more: nothing before that needs to be rolled over.
  for (let at = Math.min(start + min - 32, limit); at < limit; at++) {
    hash = ((hash << 1) + GEAR[bytes[at]]) | 0
    if (at < start + min) continue
    if ((hash & (at < middle ? strict : loose)) === 0) return at + 1
  }
  return limit
}

/** The upper bits: they depend on the most bytes. */
function maskOf(bits) {
  return -1 << (32 - bits)
}

function gearTable() {
  const random = createRandom('gear')
  return Int32Array.from({ length: 256 }, () => random.next() | 0)
}
