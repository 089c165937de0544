import type { Instruction } from '../../document/document.ts'
import type { Scope } from '../scope.ts'
import type { PlannedStage, PlannedStages } from './planned-stages.ts'

/** Refuses stages that read from themselves, directly or through others. All stages are looked at. */
export function refuseCycles(stages: PlannedStages, scope: Scope): void {
  const state = new Map<PlannedStage, 'open' | 'done'>()
  for (const start of stages.all) {
    // SAFETY: an explicit stack: a chain of ten thousand stages must not overflow the one of the process.
    const path: { stage: PlannedStage; edges: Iterator<Edge> }[] = []
    const enter = (stage: PlannedStage) => {
      state.set(stage, 'open')
      path.push({ stage, edges: edgesOf(stage, stages) })
    }
    if (!state.has(start)) enter(start)
    while (path.length > 0) {
      const { stage, edges } = path.at(-1)!
      const next = edges.next()
      if (next.done) {
        state.set(stage, 'done')
        path.pop()
        continue
      }
      const { to, instruction } = next.value
      if (state.get(to) === 'open')
        refuse(
          path.map(part => part.stage),
          to,
          instruction,
          scope,
        )
      if (!state.has(to)) enter(to)
    }
  }
}

interface Edge {
  readonly to: PlannedStage
  readonly instruction: Instruction
}

function* edgesOf(stage: PlannedStage, stages: PlannedStages): Iterator<Edge> {
  if (stage.replacedBy) return
  if (stage.baseStage) yield { to: stage.baseStage, instruction: stage.from }
  for (const instruction of stage.instructions) {
    for (const to of stages.readFrom(instruction)) yield { to, instruction }
  }
}

function refuse(path: readonly PlannedStage[], to: PlannedStage, instruction: Instruction, scope: Scope): never {
  const cycle = [...path.slice(path.indexOf(to)), to].map(({ name, index }) => name ?? String(index))
  const shown = cycle.length > 8 ? [...cycle.slice(0, 7), '…', cycle.at(-1)] : cycle
  const message = `stages depend on each other in a circle: ${shown.join(' → ')}`
  return scope.fail(instruction.position, message, { code: 'ERR_DOCKERFILE_STAGE' })
}
