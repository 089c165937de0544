import type { Stage } from '../../dockerfile/index.ts'

/** Text of FROM in plans and progress. */
export function titleOfBase(stages: readonly Stage[], { base }: Stage): string {
  if ('scratch' in base) return 'FROM scratch'
  if ('stage' in base) return `FROM ${stageName(stages, base.stage)}`
  return 'reference' in base ? `FROM ${base.reference}` : `FROM ${base.context}`
}

/** Name of a stage in plans and messages: its own, or its number. */
export function stageName(stages: readonly Stage[], index: number): string {
  return stages[index]?.name ?? `stage-${index}`
}

/**
 * Identifier of a step, as `app 2/5`: FROM is the first. A name that two stages have is followed by the number; a build
 * of one stage without a name has none (`2/5`), as people know it from other builders.
 */
export function stepId(stages: readonly Stage[], stage: number, step: number): string {
  const name = stageName(stages, stage)
  const isShared = stages.some((other, i) => i !== stage && stageName(stages, i) === name && other !== undefined)
  const count = (stages[stage]?.steps.length ?? 0) + 1
  if (stages.length === 1 && stages[0]!.name === undefined) return `${step + 2}/${count}`
  return `${isShared ? `${name}.${stage}` : name} ${step + 2}/${count}`
}
