import type { DedupLevel, DedupReport, KeptBytes } from '../../inspect/index.ts'
import { formatBytes } from '../printing/format-bytes.ts'
import { formatTable } from '../printing/format-table.ts'

const TITLES: Readonly<Record<DedupLevel['level'], string>> = {
  image: 'each image alone',
  blob: 'each layer once',
  file: 'each file once',
  chunk: 'each chunk once',
}

/** Describes a measurement as text: one row for each way to keep the images, then what each image adds. */
export function dedupLines(names: readonly string[], { images, levels, chunks }: DedupReport): string[] {
  // Figures of one column must be comparable: compressed ones only if every level has them.
  const isCompressed = levels.every(({ compressedBytes }) => compressedBytes !== undefined)
  const [alone] = levels
  const all = alone ? totalOf(alone, isCompressed) : 0
  const rows = levels.map(level => [
    TITLES[level.level],
    String(level.pieces),
    formatBytes(level.medianBytes),
    formatBytes(level.bytes),
    level.compressedBytes === undefined ? '-' : formatBytes(level.compressedBytes),
    formatBytes(level.indexBytes),
    all === 0 ? '-' : `${(100 - (100 * totalOf(level, isCompressed)) / all).toFixed(1)} %`,
  ])
  const added = images.map((_, i) => [
    names[i] ?? '',
    ...levels.slice(1).map(level => formatBytes(totalOf(level.added[i]!, isCompressed))),
  ])
  return [
    ...formatTable(['KEPT', 'PIECES', 'MEDIAN', 'BYTES', 'COMPRESSED', 'INDEX', 'SAVED'], rows),
    `chunks of ${formatBytes(chunks.min)} to ${formatBytes(chunks.max)}, about ${formatBytes(chunks.mean)}`,
    '',
    `Each image adds, ${isCompressed ? 'compressed' : 'uncompressed'}, with its index:`,
    ...formatTable(['IMAGE', 'LAYERS', 'FILES', 'CHUNKS'], added),
  ]
}

/** Bytes that a level keeps, with its index. */
function totalOf({ bytes, compressedBytes, indexBytes }: KeptBytes, isCompressed: boolean): number {
  return (isCompressed ? compressedBytes! : bytes) + indexBytes
}
