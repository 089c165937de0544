import type { FileSource } from '../data/file-source.ts'
import type { StageBase } from '../data/stage.ts'
import type { Step } from '../data/step.ts'
import { quoted } from '../document/dockerfile-fault.ts'
import type { Instruction } from '../document/document.ts'
import type { ExpansionNotes, InstructionContext } from './instructions/instruction-context.ts'
import { instructionStep, titleOf } from './instructions/instruction-step.ts'
import type { Scope } from './scope.ts'
import { type StageState, stateOfImage, stateOfStage } from './stage-state.ts'
import type { ContextNames } from './stages/context-names.ts'
import type { PlannedStage, PlannedStages } from './stages/planned-stages.ts'
import type { PlacedInstruction, StageRun } from './stages/stage-runs.ts'

/** An instruction with what its evaluation gave; lint reads it. */
export interface EvaluatedInstruction extends PlacedInstruction {
  /** Absent for ONBUILD. */
  readonly step: Step | undefined
  readonly notes: ExpansionNotes
  /** Whether a shell was set when the instruction was reached. */
  readonly shellSet: boolean
  /** Whether a WORKDIR came before in the chain of stages. */
  readonly workdirSet: boolean
}

/** An evaluated stage. */
export interface EvaluatedStage extends StageRun {
  /** Base in the data: the index of a stage counts evaluated ones only. */
  readonly baseData: StageBase
  readonly evaluated: readonly EvaluatedInstruction[]
  readonly state: StageState
}

/** Context that all stages share. */
export interface StagesContext {
  readonly scope: Scope
  readonly stages: PlannedStages
  readonly contexts: ContextNames
  readonly globals: ReadonlyMap<string, string>
  readonly buildArgs: ReadonlyMap<string, string>
  readonly targetPlatform: string
}

/** Evaluates stages in the order of the file. */
export function evaluateStages(runs: readonly StageRun[], context: StagesContext): EvaluatedStage[] {
  const done = new Map<PlannedStage, { index: number; state: StageState }>()
  return runs.map((run, index) => {
    const base = run.base === 'stage' ? done.get(run.stage.baseStage!)! : undefined
    const state = base ? stateOfStage(base.state) : stateOfImage(run.config, run.stage.platform.split('/')[0]!)
    const evaluated = evaluateInstructions(run, state, context, done)
    done.set(run.stage, { index, state })
    return { ...run, baseData: base ? { stage: base.index } : (run.base as StageBase), evaluated, state }
  })
}

function evaluateInstructions(
  run: StageRun,
  state: StageState,
  context: StagesContext,
  done: ReadonlyMap<PlannedStage, { index: number }>,
): EvaluatedInstruction[] {
  return run.instructions.map(({ instruction, trigger }) => {
    const notes: ExpansionNotes = { unmatched: [], words: [] }
    const source = (name: string) => sourceOf(name, instruction, run.stage, context, done)
    const before = { shellSet: state.shell.length > 0, workdirSet: state.workdirSet }
    const evaluate = () => stepOf({ ...context, instruction, state, source, notes }, run.stage, trigger)
    const step = trigger === undefined ? evaluate() : context.scope.forTrigger(trigger, run.stage.from, evaluate)
    return { instruction, ...(trigger !== undefined && { trigger }), step, notes, ...before }
  })
}

function stepOf(context: InstructionContext, stage: PlannedStage, trigger: string | undefined): Step | undefined {
  const { instruction, scope } = context
  const step = instructionStep(context)
  if (!step) return undefined
  const { position } = trigger === undefined ? instruction : stage.from
  const environment = step.kind === 'run' ? step.environment : []
  scope.charge(step.text.length + environment.join('').length + environment.length, position)
  return { ...step, title: titleOf(instruction), position, ...(trigger !== undefined && { onBuild: trigger }) } as Step
}

/** Resolves a name in `--from` or `from=`: to an evaluated stage, a named context, or an image. */
function sourceOf(
  name: string,
  instruction: Instruction,
  stage: PlannedStage,
  { scope, stages, contexts, targetPlatform }: StagesContext,
  done: ReadonlyMap<PlannedStage, { index: number }>,
): FileSource {
  const found = instruction.name === 'COPY' ? stages.fromOfCopy(name, instruction) : stages.ofMount(name)
  if (!found) {
    if (name === 'scratch') return { scratch: true }
    const named = contexts.find(name, targetPlatform)
    if (named && 'context' in named) return named
    return { reference: named?.reference ?? name, platform: targetPlatform }
  }
  const index = done.get(found)?.index
  if (index !== undefined) return { stage: index }
  const message = `stage ${quoted(name)} must be defined before stage ${quoted(stage.name ?? String(stage.index))}`
  return scope.fail(instruction.position, message, { code: 'ERR_DOCKERFILE_STAGE', hint: 'move it up' })
}
