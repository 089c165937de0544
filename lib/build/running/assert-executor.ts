import { BuildError } from '../../errors/index.ts'
import type { AbortOptions } from '../../internal/abort.ts'
import type { Executor } from '../../sandbox/index.ts'
import type { BuildPlan } from '../build-plan.ts'
import type { OnBuildProgress } from '../build-progress.ts'
import { type NamedDockerfile, placeIn } from '../stages/at-step.ts'

/** Options of {@link assertExecutor}. */
export interface AssertExecutorOptions extends AbortOptions {
  readonly executor?: Executor | undefined
  readonly dockerfile: NamedDockerfile | undefined
  readonly onProgress?: OnBuildProgress | undefined
}

/**
 * Rejects before anything is built if the plan has a command to run, and no executor runs it on this machine, for its
 * platform. Reports the executor.
 *
 * @throws {@link BuildError} `ERR_BUILD_NO_EXECUTOR` that names the step and what to install.
 */
export async function assertExecutor(plan: BuildPlan, options: AssertExecutorOptions): Promise<void> {
  const { executor, dockerfile, onProgress, signal } = options
  const probed = new Set<string>()
  for (const { steps, stages } of plan.images) {
    for (const { id, stage, step, need, title, position } of steps) {
      const { platform, steps: known } = stages[stage] ?? {}
      if (need === 'cached' || platform === undefined || known?.[step]?.kind !== 'run' || probed.has(platform)) continue
      const place = { step: title, ...placeIn(dockerfile, position) }
      const where = `step ${id} (${JSON.stringify(title.slice(0, 200))}) runs a command`
      if (!executor) {
        const message = `${where}, and no executor was given: give one that isolates commands, with a program such as bubblewrap or runc installed`
        throw new BuildError('ERR_BUILD_NO_EXECUTOR', message, place)
      }
      const { works, reason = 'it says no reason', note, passedOver = [] } = await executor.probe({ signal, platform })
      if (!works) {
        const message = `${where} for ${platform}, and the executor ${executor.name} does not work here: ${reason}`
        throw new BuildError('ERR_BUILD_NO_EXECUTOR', message, place)
      }
      if (probed.size === 0)
        onProgress?.({ kind: 'executor-chosen', id, platform, title, name: executor.name, note, passedOver })
      probed.add(platform)
    }
  }
}
