import { posix } from 'node:path'
import type { Step } from '../../data/step.ts'
import type { EvaluatedStage } from '../../evaluate/evaluate-stage.ts'
import type { RawFinding } from '../rule.ts'
import { ownFinding } from './advice.ts'
import { commandText } from './command-text.ts'

/**
 * Commands that install what a lock file or a list of packages names.
 *
 * SAFETY: every repetition is bounded: a command of many `apt` would otherwise be searched to its end from each of
 * them.
 */
const INSTALLS = [
  /\bnpm (?:ci|install|i)(?= ?(?:$|[&|;]| --(?!global)))/,
  /\b(?:yarn|pnpm|bun) (?:install|i)\b|\byarn(?: --\S+){0,9} ?(?:$|[&|;])/,
  /\bpip3? install (?:.{0,200} )?(?:-r|--requirement)\b|\b(?:poetry|pipenv) install\b|\buv (?:sync|pip install)\b/,
  /\bbundle install\b|\bcomposer install\b|\bdotnet restore\b|\bmix deps\.get\b/,
  /\bgo mod download\b|\bcargo fetch\b|\bmvn .{0,200}dependency:(?:go-offline|resolve)\b/,
  /\bapt(?:-get)? (?:-o \S+ |-\S+ ){0,9}install\b|\bapk (?:-\S+ ){0,9}add\b|\b(?:yum|dnf|microdnf) (?:-\S+ ){0,9}install\b/,
]

/** Installing after the whole context was copied: every change of any file installs everything again. */
export function dependenciesAfterSources({ evaluated }: EvaluatedStage): RawFinding[] {
  const copied = evaluated.findIndex(({ step }) => copiesWholeContext(step))
  if (copied < 0) return []
  const install = evaluated.slice(copied + 1).find(({ step }) => INSTALLS.some(part => part.test(commandText(step))))
  if (!install) return []
  const { line } = evaluated[copied]!.instruction.position
  const message = `dependencies are installed after the whole context was copied (line ${line})`
  const hint = 'copy only the lock file first, install, then copy the rest: the cache then survives changes of sources'
  return [ownFinding('DependenciesAfterSources', 'warning', install.instruction, message, hint)]
}

function copiesWholeContext(step: Step | undefined): boolean {
  if (step?.kind !== 'copy' || !('context' in step.from) || step.from.context !== '') return false
  return step.sources.some(source => /^\.?\/?$/.test(posix.normalize(source)))
}
