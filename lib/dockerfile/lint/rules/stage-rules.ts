import type { LintDockerfileOptions } from '../lint-report.ts'
import type { Evaluated, RawFinding } from '../rule.ts'
import { fromRules } from './from-rules.ts'
import { instructionRules } from './instruction-rules.ts'

/** BuildKit's rules that need the evaluated stages. */
export function stageRules(evaluated: Evaluated, options: LintDockerfileOptions): RawFinding[] {
  return [
    ...fromRules(evaluated),
    ...evaluated.evaluated.flatMap(({ evaluated: instructions }) => instructionRules(instructions, options)),
  ]
}
