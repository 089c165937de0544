import type { FileSource, Step } from '../../dockerfile/index.ts'

/** Sources of the files that a step reads: that of a copy, and those of mounts. */
export function sourcesOf(step: Step): readonly FileSource[] {
  if (step.kind === 'copy') return step.sources.length > 0 ? [step.from] : []
  if (step.kind !== 'run') return []
  return step.mounts.flatMap(mount => ('from' in mount && mount.from ? [mount.from] : []))
}
