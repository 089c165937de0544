import type { Digest } from '../../../digest/index.ts'
import type { CollectionPlan, CollectionPolicy, CollectionResult } from '../../../maintenance/index.ts'
import { parseAmount } from '../../amounts/parse-amount.ts'
import { UsageError } from '../../failing/usage-error.ts'
import { formatBytes } from '../../printing/format-bytes.ts'
import { formatTable } from '../../printing/format-table.ts'
import { printable } from '../../printing/printable.ts'
import type { Session } from '../../session/session.ts'
import { type BuildDataResult, buildDataRows, buildDataText, collectBuildData } from './build-data.ts'

/** Options of `gc`. */
export interface GcOptions {
  readonly dryRun?: boolean
  readonly explain?: boolean
  readonly keepLast?: string
  readonly maxAge?: string
  readonly maxBytes?: string
  readonly maxCacheMounts?: string
  readonly maxSnapshots?: string
  readonly grace?: string
  readonly keepUnknown?: boolean
  readonly force?: boolean
}

/** Errors that are printed one by one: a bucket may refuse to remove 100,000 blobs. */
const MOST_SHOWN = 20

/** `gc`: removes blobs that no name needs; `--dry-run` prints what would be removed, and why. */
export async function gc(session: Session, options: GcOptions): Promise<void> {
  const policy = policyOf(options)
  const buildPolicy = buildPolicyOf(options, policy)
  const { planCollection, runCollection } = await import('../../../maintenance/index.ts')
  const store = await session.store({ create: false })
  const { signal } = session
  const plan = await planCollection(store, { ...policy, signal })
  for (const { digest, why } of plan.missing) session.note(`warning: missing: ${digest} (${why})`)
  for (const { digest, why } of plan.unknown) session.note(`warning: not understood: ${digest} (${why})`)
  if (options.dryRun) {
    const goes = new Set(plan.drop.map(({ digest }) => digest))
    const needs = async (layer: Digest) => !goes.has(layer) && (await store.stat(layer)) !== undefined
    const build = await collectBuildData(session, { ...buildPolicy, needs })
    return session.result(describePlan(plan, build, options.explain ?? false), { ...plan, ...build })
  }
  const result = await runCollection(store, plan, { signal })
  const needs = async (layer: Digest) => (await store.stat(layer)) !== undefined
  const build = await collectBuildData(session, { ...buildPolicy, needs })
  for (const { digest, message } of result.errors.slice(0, MOST_SHOWN))
    session.note(`warning: still there: ${digest}: ${message}`)
  const more = result.errors.length - MOST_SHOWN
  if (more > 0) session.note(`warning: still there: ${count(more)} more; run it again`)
  const { missing, unknown } = plan
  session.result(describeResult(result, plan, build), { ...result, missing, unknown, ...build })
}

/** A running command keeps what it has stored by leases; the grace period is for what has none yet. */
const SHORT_GRACE_MS = 10 * 60 * 1000

function policyOf(options: GcOptions): CollectionPolicy {
  const { keepLast, maxAge, maxBytes, grace, keepUnknown, force } = options
  if (grace !== undefined && !force && parseAmount('--grace', grace, 'time') < SHORT_GRACE_MS) {
    throw new UsageError(
      `--grace ${grace} could remove what a running command has just stored: add --force if none runs`,
    )
  }
  return {
    ...(keepLast === undefined ? {} : { keepLast: parseAmount('--keep-last', keepLast, 'count') }),
    ...(maxAge === undefined ? {} : { maxAgeMs: parseAmount('--max-age', maxAge, 'time') }),
    ...(maxBytes === undefined ? {} : { maxBytes: parseAmount('--max-bytes', maxBytes, 'bytes') }),
    ...(grace === undefined ? {} : { graceMs: parseAmount('--grace', grace, 'time') }),
    ...(keepUnknown ? { unknown: 'keep' } : {}),
    ...(force ? { force } : {}),
  }
}

/** Limits on what builds keep beside blobs: age and sizes; what the store keeps is known later. */
function buildPolicyOf({ maxCacheMounts, maxSnapshots, dryRun = false }: GcOptions, { maxAgeMs }: CollectionPolicy) {
  const bytes = (name: string, value: string | undefined) =>
    value === undefined ? undefined : parseAmount(name, value, 'bytes')
  return {
    dryRun,
    maxAgeMs,
    maxCacheMounts: bytes('--max-cache-mounts', maxCacheMounts),
    maxSnapshots: bytes('--max-snapshots', maxSnapshots),
  }
}

function describePlan(plan: CollectionPlan, build: BuildDataResult, explain: boolean): string[] {
  const rows = [
    ...plan.dropNames.map(({ name, why }) => ['drop name', name, '', why]),
    ...plan.dropRecords.map(({ record, why }) => ['drop record', record, '', why]),
    ...plan.drop.map(({ digest, size, why }) => ['drop', digest.slice(0, 19), formatBytes(size), why]),
    ...buildDataRows(build),
    ...(explain ? plan.keep : []).map(({ digest, size, why }) => {
      return ['keep', digest.slice(0, 19), formatBytes(size), why]
    }),
  ]
  const table = rows.length > 0 ? formatTable(['ACT', 'WHAT', 'SIZE', 'WHY'], rows) : []
  const goes = plan.drop.length + plan.dropNames.length + plan.dropRecords.length
  const data = buildDataText(build)
  if (goes === 0) return [...table, data ? `would remove ${data}` : nothingToRemove(plan)]
  const names = namesText(plan.dropNames.length)
  const blobs = `${names}${count(plan.drop.length)}, ${formatBytes(plan.bytesFreed)}`
  const removed = `would remove ${[...plusText(data), blobs].join(', ')}`
  return [...table, `${removed}; ${keptText(plan)}`]
}

function nothingToRemove(plan: CollectionPlan): string {
  return `nothing to remove (${keptText(plan)})`
}

/** Text for the blobs that stay: in use, or protected for a while although no name needs them. */
function keptText(plan: CollectionPlan): string {
  const { keep, bytesKept, skippedYoung } = plan
  const young = skippedYoung.blobs > 0 ? [`${skippedYoung.blobs} of them too young to remove, see --grace`] : []
  const leased = leasedText(plan)
  const state = young.length + leased.length > 0 ? 'kept' : 'in use'
  return [`${count(keep.length)}, ${formatBytes(bytesKept)} ${state}`, ...young, ...leased].join(', ')
}

/** Leases that are named; a server has one for all pushes, so few run at once. */
const SHOWN_LEASES = 3

function leasedText({ skippedLeased: { blobs }, leases }: CollectionPlan): string[] {
  return blobs > 0 ? [`${blobs} of them in use by ${usersText(leases)}`] : []
}

function usersText(leases: CollectionPlan['leases']): string {
  const shown = leases.slice(0, SHOWN_LEASES).map(({ label, holder }) => `"${printable(label)}" (${holder})`)
  if (leases.length > SHOWN_LEASES) shown.push(`${leases.length - SHOWN_LEASES} more`)
  return shown.length > 0 ? shown.join(' and ') : 'a running command'
}

function plusText(text: string | undefined): string[] {
  return text === undefined ? [] : [text]
}

function describeResult(result: CollectionResult, plan: CollectionPlan, build: BuildDataResult): string {
  const data = buildDataText(build)
  const isNothing = result.namesDropped.length + result.deleted.length + result.errors.length === 0
  if (isNothing && plan.dropRecords.length === 0) return data ? `removed ${data}` : nothingToRemove(plan)
  const names = namesText(result.namesDropped.length)
  const blobs = `${names}${count(result.deleted.length)}, ${formatBytes(result.bytesFreed)}`
  const removed = `removed ${[...plusText(data), blobs].join(', ')}`
  const stay = `${count(plan.keep.length + result.skipped.length + result.errors.length)} stay`
  return `${removed}; ${[stay, ...leasedText(plan)].join(', ')}`
}

function namesText(names: number): string {
  return names === 0 ? '' : `${names} ${names === 1 ? 'name' : 'names'} and `
}

function count(blobs: number): string {
  return `${blobs} ${blobs === 1 ? 'blob' : 'blobs'}`
}
