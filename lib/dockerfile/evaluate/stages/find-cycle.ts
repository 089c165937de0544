import type { Instruction } from '../../document/document.ts'
import type { Scope } from '../scope.ts'
import type { PlannedStage, PlannedStages } from './planned-stages.ts'

/** Refuses stages that read from themselves, directly or through others. All stages are looked at. */
export function refuseCycles(stages: PlannedStages, scope: Scope): void {
  const state = new Map<PlannedStage, 'open' | 'done'>()
  for (const start of stages.all) {
    // SAFETY: an explicit stack: a chain of ten thousand stages must not overflow the one of the process.
    const path: OpenStage[] = []
    const enter = (stage: PlannedStage) => {
      state.set(stage, 'open')
      path.push({ stage, edges: edgesOf(stage, stages) })
    }
    if (!state.has(start)) enter(start)
    while (path.length > 0) {
      const open = path.at(-1)!
      const { stage, edges } = open
      const next = edges.next()
      if (next.done) {
        state.set(stage, 'done')
        path.pop()
        continue
      }
      const { to, instruction } = next.value
      open.left = instruction
      if (state.get(to) === 'open') refuse(path, to, scope)
      if (!state.has(to)) enter(to)
    }
  }
}

/** A stage on the way, and the instruction by which the way leaves it. */
interface OpenStage {
  readonly stage: PlannedStage
  readonly edges: Iterator<Edge>
  left?: Instruction
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

function refuse(path: readonly OpenStage[], to: PlannedStage, scope: Scope): never {
  const circle = path.slice(path.findIndex(({ stage }) => stage === to))
  const names = [...circle.map(({ stage }) => stage), to].map(({ name, index }) => name ?? String(index))
  const shown = names.length > 8 ? [...names.slice(0, 7), '…', names.at(-1)] : names
  const message = `stages depend on each other in a circle: ${shown.join(' → ')}`
  return scope.fail(circle[0]!.left?.position, message, { code: 'ERR_DOCKERFILE_STAGE' })
}
