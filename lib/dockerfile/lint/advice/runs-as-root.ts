import type { EvaluatedStage } from '../../evaluate/evaluate-stage.ts'
import type { RawFinding } from '../rule.ts'
import { ownFinding } from './advice.ts'

/**
 * The image runs as root: no USER in the chain of stages, or one that is root, and no user in the config of the base.
 */
export function runsAsRoot([target]: readonly EvaluatedStage[]): RawFinding[] {
  if (!target || target.stage.replacedBy) return []
  const { user } = target.state
  if (user !== '' && !/^(?:root|0)(?::|$)/.test(user)) return []
  const last = target.evaluated.findLast(({ instruction }) => instruction.name === 'USER')?.instruction
  const message = last ? `the image runs as ${user}` : 'the image runs as root: no USER is set'
  const hint = 'end the stage with USER and a user who may do only what the program needs'
  return [ownFinding('RunsAsRoot', 'advice', last ?? target.stage.from, message, hint)]
}
