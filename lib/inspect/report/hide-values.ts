import type { ReportedImage } from './report-data.ts'

type Commands = Pick<ReportedImage, 'analysis' | 'steps'>

/**
 * Hides the values of secret variables in the commands of the history.
 *
 * SAFETY: a report may be read without access to the image. It names the variables that the analysis found,
 * and must not show their values.
 */
export function hideValues({ analysis, steps }: Commands): Commands {
  const names = analysis.secrets.found.flatMap(secret => (secret.where === 'history' ? [secret.variable] : []))
  if (names.length === 0) return { analysis, steps }
  const pattern = new RegExp(`(?<![\\w])(${names.map(escaped).join('|')})=("[^"]*"|'[^']*'|\\S+)`, 'g')
  const hide = (command: string) => command.replace(pattern, '$1=•••')
  const layers = analysis.layers.map(layer =>
    layer.createdBy === undefined ? layer : { ...layer, createdBy: hide(layer.createdBy) },
  )
  return {
    analysis: { ...analysis, layers },
    steps: steps.map(step => ({ ...step, command: hide(step.command) })),
  }
}

function escaped(name: string): string {
  return name.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
}
