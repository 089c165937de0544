import type { CopyStep, Stage } from '../../dockerfile/index.ts'

/** The stages with every base that is a context replaced by an empty one and a copy of all files of the context. */
export function withoutContextBases(stages: readonly Stage[]): readonly Stage[] {
  return stages.map(stage => {
    const { base, steps } = stage
    if (!('context' in base)) return stage
    return { ...stage, base: { scratch: true }, steps: [copyOf(base.context, stage), ...steps] }
  })
}

function copyOf(context: string, { position }: Stage): CopyStep {
  return {
    kind: 'copy',
    text: 'COPY . / # buildkit',
    title: `FROM ${context}`,
    from: { context },
    sources: ['.'],
    files: [],
    remotes: [],
    destination: '/',
    ...(position ? { position } : {}),
  }
}
