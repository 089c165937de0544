import type { DockerfileDocument, Instruction, Position } from '../document/document.ts'
import type { evaluateStagesOf } from '../evaluate/evaluate-dockerfile.ts'
import type { LintFinding } from './lint-report.ts'

/** A finding with the instruction whose comments may silence it. */
export interface RawFinding extends LintFinding {
  readonly owner: Instruction
}

/** A document with its evaluation. */
export type Evaluated = { readonly document: DockerfileDocument } & ReturnType<typeof evaluateStagesOf>

/** Makes a finding of one of BuildKit's rules. */
export function warning(
  rule: string,
  owner: Instruction,
  message: string,
  hint: string,
  position?: Position,
): RawFinding {
  return { rule, severity: 'warning', message, hint, position: position ?? owner.position, owner }
}
