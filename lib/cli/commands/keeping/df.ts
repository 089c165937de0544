import { formatBytes } from '../../printing/format-bytes.ts'
import { formatTable } from '../../printing/format-table.ts'
import type { Session } from '../../session/session.ts'
import { buildDataUsageRows, readBuildData } from './build-data.ts'

/** Options of `df`. */
export interface DfOptions {
  readonly images?: boolean
}

/** `df`: shows the disk usage of the store. */
export async function df(session: Session, options: DfOptions): Promise<void> {
  const { readStoreUsage } = await import('../../../maintenance/index.ts')
  const usage = await readStoreUsage(await session.store({ create: false }), { signal: session.signal })
  const build = await readBuildData(session)
  const parts = [
    ['named', usage.named],
    ['cached', usage.cached],
    ['leased', usage.leased],
    ['young', usage.young],
    ['reclaimable', usage.reclaimable],
    ['total', usage.total],
  ] as const
  const rows = parts.map(([what, { blobs, bytes }]) => [what, String(blobs), formatBytes(bytes)])
  rows.push(['unfinished', String(usage.unfinished.count), formatBytes(usage.unfinished.bytes)])
  rows.push(...buildDataUsageRows(build))
  const lines = formatTable(['WHAT', 'BLOBS', 'SIZE'], rows)
  if (options.images) {
    const images = usage.images.map(({ name, blobs, bytes, uniqueBytes }) => {
      return [name, String(blobs), formatBytes(bytes), formatBytes(uniqueBytes)]
    })
    const table = session.table(['IMAGE', 'BLOBS', 'SIZE', 'UNIQUE'], images)
    if (table.length > 0) lines.push('', ...table)
  }
  session.result(lines, { ...usage, ...build })
}
