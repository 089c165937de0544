import type { BuildPlan, BuildPlanStep, BuildWarning, Difference } from '../../build/index.ts'
import { formatBytes } from '../printing/format-bytes.ts'
import { formatTable } from '../printing/format-table.ts'

/** The subjects of differences that have no name. */
const UNNAMED: Partial<Record<Difference['what'], string>> = { base: 'layers below', file: 'files that it reads' }

/** One difference as a person reads it, such as `file src/server.js: content differs`. */
export function differenceText({ what, name, change, before, after }: Difference): string {
  const subject = name === '' ? (UNNAMED[what] ?? what) : `${what} ${name}`
  if (change === 'added') return `${subject}: is new`
  if (change === 'removed') return `${subject}: is gone`
  if (change === 'content') return `${subject}: content differs`
  const values = before !== undefined && after !== undefined && before.length + after.length < 120
  return values ? `${subject}: ${change} was ${before}, is ${after}` : `${subject}: ${change} differs`
}

/** One warning as a line of text, with its place. */
export function warningText({ message, at }: BuildWarning): string {
  return `warning: ${message}${at === undefined ? '' : ` (${at})`}`
}

/** A plan as lines: a table of steps for each platform, and with `explain` all differences of each step. */
export function formatBuildPlan(plan: BuildPlan, explain: boolean): string[] {
  const images = plan.images.flatMap(({ platform, steps, bases }) => {
    const count = (need: BuildPlanStep['need']) => steps.filter(step => step.need === need).length
    const open = count('unknown') > 0 ? `, ${count('unknown')} that depend on it` : ''
    const counts = `${steps.length} steps, ${count('cached')} cached, ${count('make')} to make${open}`
    const title = `${plan.name}  ${platform}   ${counts}`
    const rows = steps.flatMap(step => [rowOf(step), ...(explain ? differenceRows(step) : [])])
    const missing = bases
      .filter(base => base.missingLayers > 0)
      .map(
        ({ reference, missingLayers, missingBytes }) =>
          `${reference}: ${missingLayers} layers (${formatBytes(missingBytes)}) are not in the store; fetched if a step reads them`,
      )
    return [title, ...formatTable(['STEP', '', 'NEED', 'WHY'], rows), ...missing]
  })
  return [...images, ...plan.warnings.map(warningText)]
}

function rowOf({ id, title, need, reason, saved }: BuildPlanStep): string[] {
  const saves = saved ? `, saves ${(saved.milliseconds / 1000).toFixed(1)} s` : ''
  return [`[${id}]`, shortened(title), need, `${reason}${saves}`]
}

function differenceRows({ differs = [] }: BuildPlanStep): string[][] {
  return differs.map(difference => ['', '', '', `  ${differenceText(difference)}`])
}

const TITLE_WIDTH = 60

function shortened(title: string): string {
  const line = title.replaceAll('\n', ' ')
  return line.length > TITLE_WIDTH ? `${line.slice(0, TITLE_WIDTH - 1)}…` : line
}
