import type { BaseRequest, Stage, StageBase, Step } from '../../dockerfile/index.ts'
import { BuildError } from '../../errors/index.ts'
import { formatPlatform, hostPlatform } from '../../oci/index.ts'
import type { BuildContext } from '../context/build-context.ts'
import type { EvaluatedStages, EvaluationRequest } from '../planning/stage-source.ts'
import { ScriptState, type StageNode } from './script-state.ts'

/** Evaluates a stage of code and every stage that it needs, each after those that it reads from. */
export async function evaluateScript(target: StageNode, request: EvaluationRequest): Promise<EvaluatedStages> {
  const script = new ScriptEvaluation(request)
  await script.add(target)
  return script.result()
}

class ScriptEvaluation {
  readonly #request: EvaluationRequest
  readonly #platform: string
  readonly #stages: Stage[] = []
  readonly #indexes = new Map<StageNode, number>()
  readonly #states = new Map<StageNode, ScriptState>()
  readonly #open = new Set<StageNode>()
  readonly #unresolved: BaseRequest[] = []
  readonly #contexts = new Map<string, BuildContext>()

  constructor(request: EvaluationRequest) {
    this.#request = request
    this.#platform = request.platform ?? formatPlatform(hostPlatform())
  }

  result(): EvaluatedStages {
    return {
      platform: this.#platform,
      stages: this.#stages,
      unresolved: this.#unresolved,
      contexts: Object.fromEntries(this.#contexts),
      owned: [...this.#indexes.keys()].flatMap(({ parts }) => parts.owned ?? []),
    }
  }

  async add(node: StageNode): Promise<number> {
    const known = this.#indexes.get(node)
    if (known !== undefined) return known
    if (this.#open.has(node)) throw new BuildError('ERR_BUILD_CYCLE', 'a stage needs itself')
    this.#open.add(node)
    const { name, base, platform = this.#platform, steps, onBuild, contexts } = node.parts
    for (const [at, context] of Object.entries(contexts)) this.#contexts.set(at, context)
    const stageBase = await this.#base(base, platform)
    const state = this.#begin(base, stageBase, platform)
    const evaluated: Step[] = []
    for (const step of steps) evaluated.push(await this.#evaluate(step, state))
    const index = this.#stages.length
    this.#stages.push({ ...(name === undefined ? {} : { name }), base: stageBase, platform, steps: evaluated, onBuild })
    this.#indexes.set(node, index)
    this.#states.set(node, state)
    return index
  }

  /** A step may name a stage that is not evaluated yet; then the stage is evaluated first, and the step again. */
  async #evaluate(step: StageNode['parts']['steps'][number], state: ScriptState): Promise<Step> {
    for (;;) {
      try {
        return await step(state)
      } catch (error) {
        if (!(error instanceof NeedsStage)) throw error
        await this.add(error.stage)
      }
    }
  }

  async #base(base: string | StageNode, platform: string): Promise<StageBase> {
    if (typeof base !== 'string') return { stage: await this.add(base) }
    return base === 'scratch' ? { scratch: true } : { reference: base, platform }
  }

  #begin(base: string | StageNode, stageBase: StageBase, own: string): ScriptState {
    const finders = {
      platform: own,
      stageIndex: (stage: StageNode) => {
        const index = this.#indexes.get(stage)
        if (index === undefined) throw new NeedsStage(stage)
        return index
      },
      bring: (context: BuildContext) => this.#bring(context),
    }
    if (typeof base !== 'string') return new ScriptState(undefined, finders, this.#states.get(base))
    if (!('reference' in stageBase)) return new ScriptState(undefined, finders)
    const { reference, platform } = stageBase
    const config = this.#request.bases({ reference, platform })
    if (!config) this.#unresolved.push({ reference, platform })
    return new ScriptState(config, finders)
  }

  #bring(context: BuildContext): string {
    for (const [name, known] of this.#contexts) if (known === context) return name
    const name = `files ${this.#contexts.size + 1}`
    this.#contexts.set(name, context)
    return name
  }
}

/** Thrown by a step that reads from a stage which is not evaluated yet. Never leaves this file. */
class NeedsStage extends Error {
  readonly stage: StageNode

  constructor(stage: StageNode) {
    super('a stage must be evaluated first')
    this.stage = stage
  }
}
