import type { FileSource, Step } from '../../dockerfile/index.ts'

/** What a step reads files from: the source of a copy, and the sources of mounts. */
export function sourcesOf(step: Step): readonly FileSource[] {
  if (step.kind === 'copy') return step.sources.length > 0 ? [step.from] : []
  if (step.kind !== 'run') return []
  return step.mounts.flatMap(mount => ('from' in mount && mount.from ? [mount.from] : []))
}
