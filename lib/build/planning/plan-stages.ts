import type { Stage, Step } from '../../dockerfile/index.ts'
import type { AbortOptions } from '../../internal/abort.ts'
import type { BuildPlanStep } from '../build-plan.ts'
import type { BuildSession } from '../session/build-session.ts'
import { NotKnownYet } from '../session/not-known-yet.ts'
import { atStep, type FailedStep } from '../stages/at-step.ts'
import { type BuildState, withConfig, withLayer, withWorkdir } from '../stages/build-state.ts'
import { sourcesOf } from '../stages/sources-of.ts'
import { stageName, stepId, titleOfBase } from '../stages/step-ids.ts'
import { type KeyedStep, keyStep, type LayerStep } from '../steps/key-step.ts'
import { startStage } from '../steps/start-stage.ts'

/** Options of {@link planStages}. */
export interface PlanStagesOptions extends AbortOptions {
  /** Name of the build, for explanations. */
  readonly name: string
  readonly platform: string
  /** True if a step may use a record. */
  readonly useCache: (step: Step, stage: Stage) => boolean
}

/** Plans the steps of stages: follows them as long as every layer is known from a record. */
export async function planStages(
  session: BuildSession,
  stages: readonly Stage[],
  options: PlanStagesOptions,
): Promise<BuildPlanStep[]> {
  const ends: (BuildState | undefined)[] = []
  const steps: BuildPlanStep[] = []
  for (const index of stages.keys()) {
    const planner = new StagePlanner(session, stages, index, ends, options)
    ends.push(await planner.plan(steps))
  }
  return steps
}

class StagePlanner {
  readonly #session: BuildSession
  readonly #stages: readonly Stage[]
  readonly #index: number
  readonly #ends: readonly (BuildState | undefined)[]
  readonly #options: PlanStagesOptions

  constructor(
    session: BuildSession,
    stages: readonly Stage[],
    index: number,
    ends: readonly (BuildState | undefined)[],
    options: PlanStagesOptions,
  ) {
    this.#session = session
    this.#stages = stages
    this.#index = index
    this.#ends = ends
    this.#options = options
  }

  /** Appends the planned steps; resolves to the state at the end, if it is known. */
  async plan(planned: BuildPlanStep[]): Promise<BuildState | undefined> {
    const stage = this.#stages[this.#index]!
    let [state, from] = await this.#start(stage)
    planned.push(from)
    for (const [i, step] of stage.steps.entries()) {
      const common = { ...this.#place(i), title: step.title, position: step.position }
      if (step.kind === 'config') {
        planned.push({ ...common, need: 'config', reason: 'changes only the config' })
        state = state && withConfig(state, step)
      } else if (step.kind === 'workdir' && step.path === '/') {
        planned.push({ ...common, need: 'config', reason: 'the directory exists in every image' })
        state = state && withWorkdir(state, step, undefined)
      } else {
        const { plan, next } = await this.#planLayer(stage, step, i, state)
        planned.push({ ...common, ...plan })
        state = next
      }
    }
    return state
  }

  async #start(stage: Stage): Promise<[BuildState | undefined, BuildPlanStep]> {
    const common = { ...this.#place(-1), title: titleOfBase(this.#stages, stage), position: stage.position }
    try {
      const state = await startStage(this.#session, stage, at => this.#endOf(at), this.#options.signal)
      return [state, { ...common, need: 'base', reason: await this.#reasonOfBase(stage) }]
    } catch (error) {
      if (error instanceof NotKnownYet) return [undefined, { ...common, need: 'base', reason: error.reason }]
      throw this.#atStep(error, { text: common.title, position: stage.position }, common.id)
    }
  }

  async #reasonOfBase({ base }: Stage): Promise<string> {
    if (!('reference' in base)) return 'nothing to fetch'
    const { layers } = await this.#session.base(base.reference, base.platform, this.#options.signal)
    let missing = 0
    for (const { descriptor } of layers) if (!(await this.#session.store.stat(descriptor.digest))) missing++
    return missing === 0 ? 'nothing to fetch' : `${missing} of ${layers.length} layers are not in the store`
  }

  async #planLayer(
    stage: Stage,
    step: LayerStep,
    i: number,
    state: BuildState | undefined,
  ): Promise<{
    plan: Pick<BuildPlanStep, 'need' | 'reason' | 'key' | 'saved' | 'differs'>
    next: BuildState | undefined
  }> {
    const { signal, platform, name, useCache } = this.#options
    const { id } = this.#place(i)
    try {
      await this.#resolveImages(step)
      if (!state) return unknown('depends on an earlier step, which must be made first')
      const frame = {
        state,
        platform: stage.platform,
        stageOf: (at: number) => this.#endOf(at),
        mayFetch: false,
        useCache: useCache(step, stage),
        signal,
      }
      const keyed = await keyStep(this.#session, step, frame)
      if (keyed.found) return cached(keyed, step, state)
      if (!frame.useCache)
        return { plan: { need: 'make', reason: 'the cache is not asked', key: keyed.key }, next: undefined }
      const position = { build: `${name} ${platform}`, place: id, title: step.title }
      const { reason, differs } = await this.#session.cache.explain(keyed, position, { signal })
      return { plan: { need: 'make', reason, differs, key: keyed.key }, next: undefined }
    } catch (error) {
      if (error instanceof NotKnownYet) return unknown(error.reason)
      throw this.#atStep(error, step, id)
    }
  }

  /** Resolves the images that a step reads, so that the plan names them also if the key of the step is not known. */
  async #resolveImages(step: Step): Promise<void> {
    for (const from of sourcesOf(step)) {
      if ('reference' in from) await this.#session.base(from.reference, from.platform, this.#options.signal)
    }
  }

  #atStep(error: unknown, step: FailedStep, id: string): unknown {
    return atStep(error, step, { id, dockerfile: this.#session.dockerfile, signal: this.#options.signal })
  }

  #place(step: number): Pick<BuildPlanStep, 'id' | 'stage' | 'step'> {
    return { id: stepId(this.#stages, this.#index, step), stage: this.#index, step }
  }

  #endOf(stage: number): BuildState {
    const end = this.#ends[stage]
    if (end) return end
    throw new NotKnownYet(`depends on ${stageName(this.#stages, stage)}, which must be made first`)
  }
}

function unknown(reason: string) {
  return { plan: { need: 'unknown', reason }, next: undefined } as const
}

function cached({ found, key }: KeyedStep, step: LayerStep, state: BuildState) {
  const { record, remote } = found!
  const layer = { descriptor: record.layer, diffId: record.diffId }
  const next = step.kind === 'workdir' ? withWorkdir(state, step, layer) : withLayer(state, layer, step.text)
  const saved = { milliseconds: record.milliseconds, bytes: record.layer.size }
  const reason = remote ? 'in an imported cache' : 'in the cache of the store'
  return { plan: { need: 'cached', reason, key, saved }, next } as const
}
