import type { AnyPlan, PlanStep } from '../../transfer/index.ts'
import { formatBytes } from './format-bytes.ts'
import { formatTable } from './format-table.ts'

/** Formats a plan as a table with totals. */
export function formatPlan(plan: AnyPlan): string[] {
  const rows = plan.steps.map(step => [
    step.kind.toUpperCase(),
    shortDigest(step),
    formatBytes(step.descriptor.size),
    needOf(step),
    step.reason,
  ])
  const inFlight = plan.bytesInFlight > 0 ? `, ${formatBytes(plan.bytesInFlight)} in flight elsewhere` : ''
  const present = `${formatBytes(plan.bytesPresent)} of ${formatBytes(plan.bytesTotal)} already there`
  return [
    ...formatTable(['KIND', 'DIGEST', 'SIZE', 'NEED', 'WHY'], rows),
    `${movedBy(plan)}, ${present}${inFlight}`,
    ...platformLines(plan),
  ]
}

function movedBy(plan: AnyPlan): string {
  if (plan.kind === 'pull') return `${formatBytes(plan.bytesToFetch)} to fetch`
  if (plan.kind === 'push') return `${formatBytes(plan.bytesToUpload)} to upload`
  return `${formatBytes(plan.bytesToMove)} to move`
}

function needOf({ need, offset }: PlanStep): string {
  return need === 'resume' && offset !== undefined ? `resume at ${formatBytes(offset)}` : need
}

function platformLines({ platforms, platformsLeftOut }: AnyPlan): string[] {
  if (platforms.length === 0) return []
  const leftOut = platformsLeftOut.length > 0 ? `; left out: ${platformsLeftOut.join(', ')}` : ''
  return [`platforms: ${platforms.join(', ')}${leftOut}`]
}

function shortDigest({ descriptor: { digest } }: PlanStep): string {
  const colon = digest.indexOf(':')
  return digest.slice(0, colon + 13)
}
