import { parsePlatform, platformOfConfig } from '../../oci/index.ts'
import type { BuildWarning } from '../build-warning.ts'
import type { BuildSession } from '../session/build-session.ts'
import { placeIn } from '../stages/at-step.ts'
import type { EvaluatedStages } from './stage-source.ts'

/** Warnings of a build that BuildKit gives too, and of build arguments without an ARG, as Docker gave before it. */
export async function warningsOf(
  session: BuildSession,
  { stages, unusedBuildArgs = [] }: EvaluatedStages,
  signal: AbortSignal | undefined,
): Promise<BuildWarning[]> {
  const warnings: BuildWarning[] = []
  for (const { base, position } of stages) {
    if (!('reference' in base)) continue
    const { config } = await session.base(base.reference, base.platform, signal)
    const [actual, wanted] = [platformOfConfig(config), parsePlatform(base.platform)]
    if (!actual || (actual.os === wanted.os && actual.architecture === wanted.architecture)) continue
    const message = `the base ${base.reference} is for ${actual.os}/${actual.architecture}, not for ${base.platform}`
    const { at } = placeIn(session.dockerfile, position)
    warnings.push({ code: 'InvalidBaseImagePlatform', message, ...(at === undefined ? {} : { at }) })
  }
  if (unusedBuildArgs.length > 0) {
    const message = `build arguments were not consumed, because no ARG declares them: ${unusedBuildArgs.join(', ')}`
    warnings.push({ code: 'UnusedBuildArgs', message })
  }
  return warnings
}
