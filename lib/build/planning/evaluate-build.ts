import type { BaseRequest, Stage } from '../../dockerfile/index.ts'
import { BuildError } from '../../errors/index.ts'
import { formatPlatform, hostPlatform, type ImageConfig } from '../../oci/index.ts'
import type { BuildSession } from '../session/build-session.ts'
import { atStep } from '../stages/at-step.ts'
import { withoutContextBases } from './context-bases.ts'
import type { BuildStages, EvaluatedStages } from './stage-source.ts'

/** SAFETY: an ONBUILD trigger of a base may name further bases; a chain of them must end. */
const MOST_ROUNDS = 20

/** Evaluates stages, and reads the configs of bases until none is asked for. */
export async function evaluateBuild(
  session: BuildSession,
  source: BuildStages,
  platform: string | undefined,
  signal: AbortSignal | undefined,
): Promise<EvaluatedStages> {
  if (isStages(source)) {
    return { platform: platform ?? platformOf(source), stages: withoutContextBases(source), unresolved: [] }
  }
  const known = new Map<string, ImageConfig>()
  const contexts = [...session.contexts.keys()].filter(name => name !== '')
  for (let round = 0; round < MOST_ROUNDS; round++) {
    signal?.throwIfAborted()
    const evaluated = await source.evaluate({ platform, contexts, bases: request => known.get(keyOf(request)) })
    session.dockerfile = evaluated.dockerfile
    if (evaluated.unresolved.length === 0) return { ...evaluated, stages: withoutContextBases(evaluated.stages) }
    for (const request of evaluated.unresolved) known.set(keyOf(request), await configOf(session, request, signal))
  }
  throw new BuildError('ERR_BUILD_INVALID_STEP', `bases name further bases, more than ${MOST_ROUNDS} deep`)
}

function isStages(source: BuildStages): source is readonly Stage[] {
  return Array.isArray(source)
}

function platformOf(stages: readonly Stage[]): string {
  return stages.at(-1)?.platform ?? formatPlatform(hostPlatform())
}

function keyOf({ reference, context, platform }: BaseRequest): string {
  return JSON.stringify([reference, context, platform])
}

async function configOf(
  session: BuildSession,
  { reference, platform, position }: BaseRequest,
  signal: AbortSignal | undefined,
): Promise<ImageConfig> {
  // A context of files has no config; the stage starts as on scratch.
  if (reference === undefined) return { rootfs: { type: 'layers', diff_ids: [] } }
  try {
    return (await session.base(reference, platform, signal)).config
  } catch (error) {
    const step = { text: `FROM ${reference}`, position }
    throw atStep(error, step, { dockerfile: session.dockerfile, signal })
  }
}
