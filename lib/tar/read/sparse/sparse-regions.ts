import type { SparseRegion } from '../../tar-entry.ts'
import { invalid, padded } from '../header-block.ts'

/** SAFETY: regions that one file may have; maps of millions of them were used to exhaust readers. */
export const MAX_REGIONS = 10_000

/**
 * The regions that a map of offsets and lengths describes: in order, inside the file, and as many bytes as are stored.
 * Empty ones, by which GNU tar marks the end, are left out.
 *
 * SAFETY: GNU tar fills each region up to a whole block, others put them side by side; only where both come to the same
 * is the content known.
 */
export function sparseRegions(
  numbers: readonly number[],
  file: { readonly size: number; readonly stored: number },
  at: number,
): SparseRegion[] {
  const regions: SparseRegion[] = []
  let end = 0
  let stored = 0
  for (let i = 0; i < numbers.length; i += 2) {
    const [offset, length] = [numbers[i]!, numbers[i + 1]!]
    if (!(offset >= end && offset + length <= file.size)) throw invalid('sparse map out of order or range', at)
    if (length > 0 && stored !== padded(stored)) throw invalid('sparse region that is no whole number of blocks', at)
    end = offset + length
    stored += length
    if (length > 0) regions.push({ offset, length })
  }
  if (stored !== file.stored) throw invalid('sparse map that does not fit the bytes stored', at)
  return regions
}
