import type { ImageConfig } from '../../../oci/index.ts'
import type { BaseRequest } from '../../data/evaluation.ts'
import type { StageBase } from '../../data/stage.ts'
import type { Instruction } from '../../document/document.ts'
import type { Scope } from '../scope.ts'
import { triggersOf } from '../stage-state.ts'
import type { ContextNames, NamedContext } from './context-names.ts'
import type { PlannedStage, PlannedStages } from './planned-stages.ts'
import { readTrigger } from './read-trigger.ts'

/** An instruction of a stage, and the ONBUILD trigger of the base that it comes from. */
export interface PlacedInstruction {
  readonly instruction: Instruction
  readonly trigger?: string
}

/** A stage that the target needs. */
export interface StageRun {
  readonly stage: PlannedStage
  readonly base: StageBase | 'stage'
  /** Config of the base image, if it is one and known. */
  readonly config: ImageConfig | undefined
  /** Triggers of the base first, then the stage's own instructions. */
  readonly instructions: readonly PlacedInstruction[]
}

/** Context for finding the needed stages. */
export interface StageRunsContext {
  readonly stages: PlannedStages
  readonly contexts: ContextNames
  readonly bases: ((request: BaseRequest) => ImageConfig | undefined) | undefined
  readonly scope: Scope
}

/** Finds the stages that some stages need, in the order of the file, and the bases that are not known yet. */
export function stageRuns(
  wanted: readonly PlannedStage[],
  context: StageRunsContext,
): { runs: readonly StageRun[]; unresolved: readonly BaseRequest[] } {
  const runs = new Map<PlannedStage, StageRun>()
  const unresolved = new Map<string, BaseRequest>()
  const queue = [...wanted]
  for (let stage = queue.pop(); stage; stage = queue.pop()) {
    if (runs.has(stage)) continue
    const run = runOf(stage, context, unresolved)
    runs.set(stage, run)
    if (stage.baseStage && !stage.replacedBy) queue.push(stage.baseStage)
    for (const { instruction, trigger } of run.instructions) {
      const read = () => context.stages.readFrom(instruction)
      queue.push(...(trigger === undefined ? read() : context.scope.forTrigger(trigger, stage.from, read)))
    }
  }
  return {
    runs: [...runs.values()].sort((a, b) => a.stage.index - b.stage.index),
    unresolved: [...unresolved.values()],
  }
}

function runOf(stage: PlannedStage, context: StageRunsContext, unresolved: Map<string, BaseRequest>): StageRun {
  const own = stage.instructions.map(instruction => ({ instruction }))
  if (stage.baseStage && !stage.replacedBy) {
    const triggers = stage.baseStage.replacedBy ? [] : storedTriggers(stage.baseStage)
    return { stage, base: 'stage', config: undefined, instructions: [...read(triggers, stage, context), ...own] }
  }
  const base = baseOf(stage, context.contexts)
  const config =
    'scratch' in base || 'stage' in base
      ? undefined
      : askFor({ ...base, position: stage.from.position }, context, unresolved)
  // SPEC: a named context of the stage's own name replaces its instructions too.
  const instructions = stage.replacedBy ? [] : [...read(triggersOf(config), stage, context), ...own]
  return { stage, base, config, instructions }
}

function storedTriggers(stage: PlannedStage): string[] {
  return stage.instructions.flatMap(({ trigger }) => trigger ?? [])
}

function read(triggers: readonly string[], stage: PlannedStage, { scope }: StageRunsContext): PlacedInstruction[] {
  return triggers.map(trigger => ({
    instruction: scope.forTrigger(trigger, stage.from, () => readTrigger(trigger)),
    trigger,
  }))
}

function baseOf({ baseName, platform, replacedBy }: PlannedStage, contexts: ContextNames): StageBase {
  const named: NamedContext | undefined = replacedBy ?? contexts.find(baseName, platform)
  if (named) return { ...named, platform }
  return baseName === 'scratch' ? { scratch: true } : { reference: baseName, platform }
}

function askFor(
  base: BaseRequest,
  { bases }: StageRunsContext,
  unresolved: Map<string, BaseRequest>,
): ImageConfig | undefined {
  const config = bases?.(base)
  const key = JSON.stringify([base.reference, base.context, base.platform])
  if (!config && !unresolved.has(key)) unresolved.set(key, base)
  return config
}
