import type { SplitAdvice } from '../../inspect/index.ts'
import { countOf } from '../printing/count-of.ts'
import { formatBytes } from '../printing/format-bytes.ts'
import { formatTable } from '../printing/format-table.ts'

/** Describes the advice how to split an image: what updates cost now, the proposed layers, what they would cost. */
export function adviceLines(
  { shared, updates, layers, onlyTimes, savedPerUpdate }: SplitAdvice,
  most: number,
): string[] {
  const rows = updates.map(({ from, to, blobBytes, changedBytes, changedFiles, proposedBytes }) => [
    `${from.slice(7, 19)} -> ${to.slice(7, 19)}`,
    String(changedFiles),
    formatBytes(changedBytes),
    formatBytes(blobBytes),
    formatBytes(proposedBytes),
  ])
  return [
    '',
    `Split: ${formatBytes(savedPerUpdate)} less for each update, by estimate`,
    ...formatTable(['UPDATE', 'CHANGED', 'FILES', 'NOW', 'PROPOSED'], rows).map(line => `  ${line}`),
    `  in every release: ${countOf(shared.layers, 'layer')}, ${formatBytes(shared.blobBytes)}`,
    ...layers.flatMap(({ bytes, files, changedIn, places }, i) => [
      `  layer ${i + 1}: ${formatBytes(bytes)} in ${countOf(files, 'file')}, changed in ${changedIn} of ${countOf(updates.length, 'update')}`,
      ...places.slice(0, most).map(place => `    ${formatBytes(place.bytes)}  ${place.path}`),
      ...(places.length > most ? [`    and ${places.length - most} more places`] : []),
    ]),
    ...(onlyTimes.files > 0
      ? [
          `  only the time changed of ${countOf(onlyTimes.files, 'file')}, ${formatBytes(onlyTimes.bytes)}: set SOURCE_DATE_EPOCH`,
        ]
      : []),
  ]
}
