import type { Stage } from '../../dockerfile/index.ts'
import { BuildError } from '../../errors/index.ts'
import type { BuildSession } from '../session/build-session.ts'
import { type BuildState, baseState, scratchState } from '../stages/build-state.ts'

/**
 * Returns the state of a stage before its first step. If its base is a stage, it is the state at the end of that stage.
 */
export async function startStage(
  session: BuildSession,
  stage: Stage,
  stageOf: (stage: number) => BuildState | Promise<BuildState>,
  signal: AbortSignal | undefined,
): Promise<BuildState> {
  const { base } = stage
  if ('scratch' in base) return scratchState(stage)
  if ('stage' in base) return stageOf(base.stage)
  if ('reference' in base) return baseState(await session.base(base.reference, base.platform, signal))
  throw new BuildError('ERR_BUILD_INVALID_STEP', `no stages with the context ${JSON.stringify(base.context)} as a base`)
}
