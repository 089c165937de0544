import type { SparseRegion } from '../../tar-entry.ts'
import { invalid, padded } from '../header-block.ts'

/** SAFETY: maximum number of regions of one file. Maps of millions of regions have exhausted the memory of readers. */
export const MAX_REGIONS = 10_000

/**
 * Validates a map of offsets and lengths and returns its regions: in order, inside the file, and with as many bytes as
 * the archive stores. Empty regions, with which GNU tar marks the end of the file, are dropped.
 *
 * SAFETY: GNU tar pads each region to a whole block; other programs store regions without padding. The two would read
 * different content, so a map is accepted only if both layouts give the same bytes.
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
