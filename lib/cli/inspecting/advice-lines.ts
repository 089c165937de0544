import type { SplitAdvice } from '../../inspect/index.ts'
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
    `  ${shared.layers} layers (${formatBytes(shared.blobBytes)}) are in every release`,
    ...layers.flatMap(({ bytes, files, changedIn, places }, i) => [
      `  layer ${i + 1}: ${formatBytes(bytes)} in ${files} files, changed in ${changedIn} of ${updates.length} updates`,
      ...places.slice(0, most).map(place => `    ${formatBytes(place.bytes)}  ${place.path}`),
      ...(places.length > most ? [`    and ${places.length - most} more places`] : []),
    ]),
    ...(onlyTimes.files > 0
      ? [
          `  ${onlyTimes.files} files (${formatBytes(onlyTimes.bytes)}) changed in their time only: set SOURCE_DATE_EPOCH`,
        ]
      : []),
  ]
}
