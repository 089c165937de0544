import type { Instruction, Position } from '../../document/document.ts'
import type { LintFinding } from '../lint-report.ts'
import type { RawFinding } from '../rule.ts'

/** Makes a finding of one of our rules. */
export function ownFinding(
  rule: string,
  severity: LintFinding['severity'],
  owner: Instruction,
  message: string,
  hint: string,
  position: Position = owner.position,
): RawFinding {
  return { rule: `layerstore/${rule}`, severity, message, hint, position, owner }
}
