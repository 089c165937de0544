import type { PlanStep, PullPlan, PushPlan } from '../transfer/index.ts'
import { formatBytes } from './format-bytes.ts'
import { formatTable } from './format-table.ts'

/** A plan as a table with its totals, for people. */
export function formatPlan(plan: PullPlan | PushPlan): string {
  const rows = plan.steps.map(step => [
    step.kind.toUpperCase(),
    shortDigest(step),
    formatBytes(step.descriptor.size),
    step.need,
    step.reason,
  ])
  const moved = plan.kind === 'pull' ? plan.bytesToFetch : plan.bytesToUpload
  const verb = plan.kind === 'pull' ? 'to fetch' : 'to upload'
  return [
    formatTable(['KIND', 'DIGEST', 'SIZE', 'NEED', 'WHY'], rows),
    `${formatBytes(moved)} ${verb}, ${formatBytes(plan.bytesPresent)} of ${formatBytes(plan.bytesTotal)} already there`,
    ...platformLines(plan),
  ].join('\n')
}

function platformLines(plan: PullPlan | PushPlan): string[] {
  if (plan.kind !== 'pull' || plan.platforms.length === 0) return []
  const leftOut = plan.platformsLeftOut.length > 0 ? `; left out: ${plan.platformsLeftOut.join(', ')}` : ''
  return [`platforms: ${plan.platforms.join(', ')}${leftOut}`]
}

function shortDigest({ descriptor: { digest } }: PlanStep): string {
  const colon = digest.indexOf(':')
  return digest.slice(0, colon + 13)
}
