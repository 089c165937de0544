import type { HasherEngine } from '../../digest/index.ts'
import { type DedupReport, measureDedup } from '../../inspect/index.ts'
import type { BenchCase, BenchRow } from './bench-report.ts'
import { formatBinary } from './format-binary.ts'
import { type Job, type MeasureJobs, secondsOf } from './measure-rounds.ts'
import type { OpenedInput } from './open-input.ts'

/** Means of the sizes of chunks that are compared. */
const MEANS = [8192, 16_384, 65_536]
const LEVELS = { image: 'each image alone', blob: 'each layer once', file: 'each file once' } as const

/**
 * Measures what the inputs need, with indexes, if each layer, file or chunk is kept once, and how long it takes to find
 * the chunks. Bytes are uncompressed.
 */
export async function dedupCase(
  inputs: readonly OpenedInput[],
  { hasher, signal, measure }: { hasher: HasherEngine; signal: AbortSignal; measure: MeasureJobs },
): Promise<BenchCase> {
  const images = inputs.map(({ blobs, image }) => ({ store: blobs, image }))
  const reports: DedupReport[] = []
  const jobs = MEANS.map(
    (mean, i): Job =>
      () =>
        secondsOf(async () => {
          const chunks = { min: mean / 4, mean, max: mean * 4 }
          reports[i] = await measureDedup(images, { chunks, compressed: false, hasher, signal })
        }),
  )
  const results = await measure(jobs)
  const kept = (report: DedupReport, level: string) => {
    const { bytes, indexBytes } = report.levels.find(one => one.level === level)!
    return bytes + indexBytes
  }
  const [first] = reports
  const rows: BenchRow[] = [
    ...Object.entries(LEVELS).map(([level, label]) => ({ label, keptBytes: kept(first!, level) })),
    ...MEANS.map((mean, i) => ({
      label: `chunks of about ${formatBinary(mean)}`,
      keptBytes: kept(reports[i]!, 'chunk'),
      ...results[i]!,
    })),
  ]
  return { part: 'dedup', name: 'bytes kept of all inputs', bytes: rows[0]!.keptBytes!, rows }
}
