import type { Stage } from '../../dockerfile/index.ts'
import { BuildError } from '../../errors/index.ts'
import type { BuildSession } from '../session/build-session.ts'
import { type BuildState, baseState, scratchState } from '../stages/build-state.ts'

/** The state of a stage before its first step. A stage on a stage goes on from its end. */
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
  const message = `a stage cannot start from the context ${JSON.stringify(base.context)}: copy from it onto scratch`
  throw new BuildError('ERR_BUILD_UNSUPPORTED', message)
}
