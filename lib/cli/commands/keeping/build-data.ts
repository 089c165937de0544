import { rm } from 'node:fs/promises'
import type { Digest } from '../../../digest/index.ts'
import { isErrno } from '../../../internal/errno.ts'
import type { KeepingPolicy, KeepingResult, KeptDirectory, RootlessSandbox } from '../../../sandbox/index.ts'
import { formatBytes } from '../../printing/format-bytes.ts'
import { buildPlaces } from '../../session/build-places.ts'
import type { Session } from '../../session/session.ts'

/** Limits on what builds keep beside blobs. */
export interface BuildDataPolicy {
  /** True if nothing is removed. */
  readonly dryRun: boolean
  readonly maxAgeMs: number | undefined
  /** Size limit of the cache mounts, in bytes. */
  readonly maxCacheMounts: number | undefined
  /** Size limit of the unpacked layers, in bytes. */
  readonly maxSnapshots: number | undefined
  /** Returns whether the store keeps a layer. */
  needs(layer: Digest): boolean | Promise<boolean>
}

/** Result of a collection of it. */
export interface BuildDataResult {
  readonly cacheMounts: KeepingResult
  readonly snapshots: KeepingResult
}

/** Number and size of what builds keep, in total and in use. */
export interface BuildDataUsage {
  readonly cacheMounts: DirectoryUsage
  readonly snapshots: DirectoryUsage
}

interface DirectoryUsage {
  readonly count: number
  readonly bytes: number
  readonly bytesInUse: number
}

const KINDS = [
  { of: 'snapshots', one: 'unpacked layer', many: 'unpacked layers' },
  { of: 'cacheMounts', one: 'cache mount', many: 'cache mounts' },
] as const

/** Removes what builds keep and a policy drops. */
export async function collectBuildData(session: Session, policy: BuildDataPolicy): Promise<BuildDataResult> {
  const { collectCacheMounts, collectSnapshots, rootlessSandbox, snapshotDirectory } = await import(
    '../../../sandbox/index.ts'
  )
  const { signal } = session
  const { dryRun, maxAgeMs, maxCacheMounts, maxSnapshots, needs } = policy
  const places = buildPlaces(session.localDirectory)
  // It starts nothing before it is called.
  await using sandbox = rootlessSandbox({ directory: places.snapshots })
  const common: KeepingPolicy = { dryRun, maxAgeMs, signal, remove: path => remove(path, sandbox) }
  return {
    snapshots: await collectSnapshots(snapshotDirectory(places.snapshots), {
      ...common,
      maxBytes: maxSnapshots,
      needs,
    }),
    cacheMounts: await collectCacheMounts(places.cacheMounts, { ...common, maxBytes: maxCacheMounts }),
  }
}

/** Files in the sandbox of a plain user may belong to other ids of that user. */
async function remove(path: string, sandbox: RootlessSandbox): Promise<void> {
  try {
    await rm(path, { recursive: true, force: true })
  } catch (error) {
    if (!isErrno(error, 'EACCES', 'EPERM')) throw error
    await sandbox.remove(path)
  }
}

/** Measures what builds keep. */
export async function readBuildData(session: Session): Promise<BuildDataUsage> {
  const { listCacheMounts, listSnapshots, snapshotDirectory } = await import('../../../sandbox/index.ts')
  const { signal } = session
  const places = buildPlaces(session.localDirectory)
  return {
    snapshots: usageOf(await listSnapshots(snapshotDirectory(places.snapshots), { signal })),
    cacheMounts: usageOf(await listCacheMounts(places.cacheMounts, { signal })),
  }
}

function usageOf(found: readonly KeptDirectory[]): DirectoryUsage {
  const total = (some: readonly KeptDirectory[]) => some.reduce((sum, { bytes }) => sum + bytes, 0)
  return { count: found.length, bytes: total(found), bytesInUse: total(found.filter(({ inUse }) => inUse)) }
}

/** Rows of the table of `df`, for what there is. */
export function buildDataUsageRows(usage: BuildDataUsage): string[][] {
  return KINDS.flatMap(({ of, many }) => {
    const { count, bytes } = usage[of]
    return count === 0 ? [] : [[many, String(count), formatBytes(bytes)]]
  })
}

/** Rows of the table of what goes. */
export function buildDataRows(result: BuildDataResult): string[][] {
  return KINDS.flatMap(({ of, one }) =>
    result[of].dropped.map(({ about, bytes, why }) => [`drop ${one}`, shown(about), formatBytes(bytes), why]),
  )
}

/** The table shows digests of blobs as short. */
function shown(about: string): string {
  return /^sha\d+:/.test(about) ? about.slice(0, 19) : about
}

/** The numbers for a sentence: `2 cache mounts, 1.5MB`; `undefined` if nothing goes. */
export function buildDataText(result: BuildDataResult): string | undefined {
  const parts = KINDS.flatMap(({ of, one, many }) => {
    const { dropped, bytesFreed } = result[of]
    return dropped.length === 0
      ? []
      : [`${dropped.length} ${dropped.length === 1 ? one : many}, ${formatBytes(bytesFreed)}`]
  })
  return parts.length === 0 ? undefined : parts.join(', ')
}
