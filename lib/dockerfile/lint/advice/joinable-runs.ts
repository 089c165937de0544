import type { EvaluatedInstruction, EvaluatedStage } from '../../evaluate/evaluate-stage.ts'
import type { RawFinding } from '../rule.ts'
import { ownFinding } from './advice.ts'

/** So many in a row are reported: two are often separate on purpose, for the cache. */
const SEVERAL = 3

/** RUN instructions in a row that `&&` could join into one layer. */
export function joinableRuns({ evaluated }: EvaluatedStage): RawFinding[] {
  const found: RawFinding[] = []
  let row: EvaluatedInstruction[] = []
  for (const next of [...evaluated, undefined]) {
    if (next && isPlain(next)) {
      row.push(next)
      continue
    }
    const [first] = row
    if (first && row.length >= SEVERAL) {
      const message = `${row.length} RUN instructions in a row make ${row.length} layers`
      found.push(
        ownFinding('JoinableRuns', 'advice', first.instruction, message, 'join them with &&, or a here-document'),
      )
    }
    row = []
  }
  return found
}

function isPlain({ instruction: { name, json, flags, heredocs }, trigger }: EvaluatedInstruction): boolean {
  return name === 'RUN' && !json && flags.length === 0 && heredocs.length === 0 && trigger === undefined
}
