import type { ReportedImage } from './report-data.ts'

type Commands = Pick<ReportedImage, 'analysis' | 'steps'>

/**
 * Hides the values of secret variables in the commands of the history.
 *
 * SAFETY: a report may be read without access to the image. It names the variables that the analysis found,
 * and must not show their values. Builders write values without quotes, so that nothing tells where one ends: in an
 * instruction and in the list of build arguments, all that follows the name is hidden.
 */
export function hideValues({ analysis, steps }: Commands): Commands {
  const names = analysis.secrets.found.flatMap(secret => (secret.where === 'file' ? [] : [escaped(secret.variable)]))
  if (names.length === 0) return { analysis, steps }
  const hide = (command: string) => hideIn(command, `(?<!\\w)(${names.join('|')})`)
  const layers = analysis.layers.map(layer =>
    layer.createdBy === undefined ? layer : { ...layer, createdBy: hide(layer.createdBy) },
  )
  return {
    analysis: { ...analysis, layers },
    steps: steps.map(step => ({ ...step, command: hide(step.command) })),
  }
}

/** Instructions of variables, as they are written today and by builders before BuildKit. */
const INSTRUCTION = /^(?:\/bin\/sh -c #\(nop\)\s+)?(?:ENV|ARG)\s/i
/** Build arguments and the shell that gets the command, see `argumentsOf` in `find-secrets.ts`. */
const ARGUMENTS = /^((?:RUN )?\|\d+ .*?)( \/\S*sh -c .*)?$/s

function hideIn(command: string, name: string): string {
  const toEnd = new RegExp(`${name}[=\\s].*$`, 's')
  if (INSTRUCTION.test(command)) return command.replace(toEnd, '$1=•••')
  const word = new RegExp(`${name}=(?:"(?:\\\\.|[^"\\\\])*"|'[^']*'|\\\\.|\\S)+`, 'gs')
  const [, before = '', after = ''] = ARGUMENTS.exec(command) ?? ['', '', command]
  return before.replace(toEnd, '$1=•••') + after.replace(word, '$1=•••')
}

function escaped(name: string): string {
  return name.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
}
