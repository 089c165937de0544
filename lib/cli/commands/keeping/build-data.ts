import type { KeepingPolicy, KeepingResult, KeptDirectory } from '../../../sandbox/index.ts'
import { formatBytes } from '../../printing/format-bytes.ts'
import { buildPlaces } from '../../session/build-places.ts'
import type { Session } from '../../session/session.ts'

/** Limits on what builds keep beside blobs. */
export interface BuildDataPolicy {
  readonly cacheMounts: KeepingPolicy
}

/** Result of a collection of it. */
export interface BuildDataResult {
  readonly cacheMounts: KeepingResult
}

/** Number and size of what builds keep, in total and in use. */
export interface BuildDataUsage {
  readonly cacheMounts: DirectoryUsage
}

interface DirectoryUsage {
  readonly count: number
  readonly bytes: number
  readonly bytesInUse: number
}

/** Removes what builds keep and a policy drops. */
export async function collectBuildData(session: Session, policy: BuildDataPolicy): Promise<BuildDataResult> {
  const { collectCacheMounts } = await import('../../../sandbox/index.ts')
  const { signal } = session
  const places = buildPlaces(session.storeName)
  return { cacheMounts: await collectCacheMounts(places.cacheMounts, { ...policy.cacheMounts, signal }) }
}

/** Measures what builds keep. */
export async function readBuildData(session: Session): Promise<BuildDataUsage> {
  const { listCacheMounts } = await import('../../../sandbox/index.ts')
  const { signal } = session
  const places = buildPlaces(session.storeName)
  return { cacheMounts: usageOf(await listCacheMounts(places.cacheMounts, { signal })) }
}

function usageOf(found: readonly KeptDirectory[]): DirectoryUsage {
  const total = (some: readonly KeptDirectory[]) => some.reduce((sum, { bytes }) => sum + bytes, 0)
  return { count: found.length, bytes: total(found), bytesInUse: total(found.filter(({ inUse }) => inUse)) }
}

/** Rows of a table of what goes. */
export function buildDataRows({ cacheMounts }: BuildDataResult): string[][] {
  return cacheMounts.dropped.map(({ about, bytes, why }) => ['drop cache mount', about, formatBytes(bytes), why])
}

/** The numbers for a sentence: `2 cache mounts, 1.5MB`; `undefined` if nothing goes. */
export function buildDataText({ cacheMounts: { dropped, bytesFreed } }: BuildDataResult): string | undefined {
  if (dropped.length === 0) return undefined
  return `${dropped.length} ${dropped.length === 1 ? 'cache mount' : 'cache mounts'}, ${formatBytes(bytesFreed)}`
}
