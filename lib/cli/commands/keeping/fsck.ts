import type { CheckProgress, CheckReport, RepairResult, RepairSource } from '../../../maintenance/index.ts'
import type { Store } from '../../../store/index.ts'
import { parseAmount } from '../../amounts/parse-amount.ts'
import { openRepairSource } from '../../places/repair-place.ts'
import { countOf } from '../../printing/count-of.ts'
import { formatBytes } from '../../printing/format-bytes.ts'
import { formatTable } from '../../printing/format-table.ts'
import type { Session } from '../../session/session.ts'

/** Options of `fsck`. */
export interface FsckOptions {
  /**
   * A repository, a layout or an archive, or `true` to fetch each blob from the repositories that it is known to come
   * from.
   */
  readonly repair?: string | true
  readonly quarantine?: boolean
  readonly resume?: boolean
  readonly content?: boolean
  readonly maxRate?: string
}

/** `fsck`: verifies everything in the store and prints the faults; `--repair` fetches damaged and missing blobs. */
export async function fsck(session: Session, options: FsckOptions): Promise<void> {
  const { checkStore, repairStore } = await import('../../../maintenance/index.ts')
  const { repair, quarantine, resume, content, maxRate } = options
  const bytesPerSecond = maxRate === undefined ? undefined : parseAmount('--max-rate', maxRate, 'bytes')
  const { signal } = session
  const store = await session.store({ create: false, damaged: 'open' })
  const sources = repair === undefined ? [] : await sourcesOf(session, store, repair)
  const report = await checkStore(store, {
    content,
    // A repair quarantines a damaged blob only once it has a verified copy.
    quarantine: repair === undefined && quarantine,
    resume,
    concurrency: session.jobs,
    bytesPerSecond,
    onProgress: progressNotes(session),
    signal,
  })
  const result = repair === undefined ? undefined : await repairStore(store, report, sources, { signal })
  if (typeof repair === 'string' && report.sound) session.note(`nothing to repair: ${repair} was not asked`)
  session.result(describe(report, result), result ? { ...report, repair: result } : report)
  if (result ? result.unrepaired.length > 0 : !report.sound) session.exit = 1
}

async function sourcesOf(session: Session, store: Store, repair: string | true): Promise<RepairSource[]> {
  const { repairFromKnownRegistries } = await import('../../../transfer/index.ts')
  const given = repair === true ? [] : [await openRepairSource(session, repair)]
  return [...given, repairFromKnownRegistries(await session.registry(), store)]
}

const NEWS_EVERY_MS = 5000

function progressNotes(session: Session): (progress: CheckProgress) => void {
  let last = performance.now()
  return ({ blobs, totalBlobs, bytes, totalBytes }) => {
    if (performance.now() - last < NEWS_EVERY_MS) return
    last = performance.now()
    session.note(`read ${blobs} of ${totalBlobs} blobs, ${formatBytes(bytes)} of ${formatBytes(totalBytes)}`)
  }
}

function describe(report: CheckReport, result: RepairResult | undefined): string[] {
  const rows = [
    ...report.problems.map(problem => {
      const { class: kind, path, actual, reason } = problem
      return [kind, path, actual, reason]
    }),
    ...report.faults.map(({ code, path, message, reason }) => [code, path, message, reason ?? '']),
  ]
  const table = rows.length > 0 ? formatTable(['PROBLEM', 'WHERE', 'FOUND', 'REASON'], rows) : []
  const counts = Object.entries(report.counts).flatMap(([kind, count]) => (count > 0 ? [`${count} ${kind}`] : []))
  const faults = report.faults.length > 0 ? [`${report.faults.length} not understood`] : []
  const found = [...counts, ...faults].join(', ') || 'nothing wrong'
  const read = `read ${countOf(report.blobs, 'blob')}, ${formatBytes(report.bytes)}, and followed ${countOf(report.names, 'name')}`
  return [...table, `${read}: ${found}`, ...(result ? describeRepair(result) : [])]
}

function describeRepair({ repaired, quarantined, mended, unrepaired }: RepairResult): string[] {
  return [
    ...repaired.map(({ digest, source, bytes }) => `repaired ${digest} from ${source}, ${formatBytes(bytes)}`),
    ...mended.map(({ path, outcome }) => `mended ${path}: ${outcome}`),
    ...quarantined.map(({ digest, to }) => `moved ${digest} to ${to}`),
    ...unrepaired.map(({ path, why }) => `not repaired: ${path}: ${why}`),
  ]
}
