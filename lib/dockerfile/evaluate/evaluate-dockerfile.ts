import { formatPlatform } from '../../oci/index.ts'
import type { EvaluateDockerfileOptions, Evaluation } from '../data/evaluation.ts'
import type { Stage } from '../data/stage.ts'
import type { DockerfileDocument } from '../document/document.ts'
import { proxiesOf, unusedArguments } from './arguments/build-arguments.ts'
import { globalArguments } from './arguments/global-arguments.ts'
import { defaultPlatform, platformArguments, readPlatform } from './arguments/platform-arguments.ts'
import { type EvaluatedStage, evaluateStages } from './evaluate-stage.ts'
import { refuseOtherFrontEnds } from './front-end.ts'
import { Scope } from './scope.ts'
import { ContextNames } from './stages/context-names.ts'
import { refuseCycles } from './stages/find-cycle.ts'
import { PlannedStages } from './stages/planned-stages.ts'
import { splitStages } from './stages/split-stages.ts'
import { stageRuns } from './stages/stage-runs.ts'

/**
 * Evaluates a Dockerfile for one platform and target, as BuildKit does: expands variables, checks the values of flags,
 * fires the ONBUILD triggers of bases, and leaves out stages that the target does not need. Does no I/O. The configs of
 * base images come from `bases`; those that it does not have are listed in {@link Evaluation.unresolved}, and the
 * caller evaluates again.
 *
 * @throws {@link DockerfileError} with line, column and code frame: `ERR_DOCKERFILE_SYNTAX` for a value that is not
 * allowed, `ERR_DOCKERFILE_EXPANSION`, `ERR_DOCKERFILE_STAGE` for a target or stage that is missing, comes too late or
 * depends on itself, `ERR_DOCKERFILE_UNSUPPORTED` for `# syntax=` of another front end.
 * @throws {@link FormatError} `ERR_INVALID_PLATFORM` for a platform of the options.
 */
export function evaluateDockerfile(document: DockerfileDocument, options: EvaluateDockerfileOptions = {}): Evaluation {
  const { evaluated, unresolved, platform, globals, declared, buildArgs } = evaluateStagesOf(document, options, false)
  const epoch = buildArgs.get('SOURCE_DATE_EPOCH') ?? (globals.get('SOURCE_DATE_EPOCH') || undefined)
  const reached = evaluated.flatMap(({ state }) => state.declared.map(({ name }) => name))
  return {
    version: 1,
    platform,
    stages: evaluated.map(stageData),
    unresolved,
    proxies: proxiesOf(buildArgs),
    ...(epoch !== undefined && { sourceDateEpoch: epoch }),
    unusedBuildArgs: unusedArguments(buildArgs, new Set([...declared, ...reached])),
  }
}

/** Evaluates the stages that the target needs, or all of them for lint. */
export function evaluateStagesOf(document: DockerfileDocument, options: EvaluateDockerfileOptions, all: boolean) {
  const scope = new Scope(document)
  refuseOtherFrontEnds(document, scope)
  const { globals: written, stages: writtenStages } = splitStages(document)
  if (writtenStages.length === 0) {
    scope.fail(undefined, 'no stage to build', { code: 'ERR_DOCKERFILE_STAGE', hint: 'add a FROM' })
  }
  const buildArgs = new Map(
    Object.entries(options.buildArgs ?? {}).filter((pair): pair is [string, string] => pair[1] !== undefined),
  )
  const platform = formatPlatform(readPlatform(options.platform ?? defaultPlatform()))
  const stage = options.target || writtenStages.at(-1)!.name || 'default'
  const automatic = platformArguments(platform, options.buildPlatform ?? defaultPlatform(), stage, buildArgs)
  const { values: globals, declared } = globalArguments(written, automatic, buildArgs, scope)
  const contexts = new ContextNames(options.contexts)
  const stages = new PlannedStages(writtenStages, globals, platform, contexts, scope)
  const target = stages.target(options.target)
  refuseCycles(stages, scope)
  const context = { stages, contexts, bases: options.bases, scope }
  const { runs, unresolved } = stageRuns(all ? stages.all : [target], context)
  const shared = { scope, stages, contexts, globals, buildArgs, targetPlatform: platform }
  const evaluated = evaluateStages(runs, shared)
  return { evaluated, unresolved, platform, automatic, globals, declared, buildArgs, target, scope }
}

function stageData({ stage, baseData, evaluated }: EvaluatedStage): Stage {
  const description = stage.name && descriptionOf(stage.from.comments, stage.name)
  return {
    ...(stage.name !== undefined && { name: stage.name }),
    base: baseData,
    platform: stage.platform,
    steps: evaluated.flatMap(({ step }) => step ?? []),
    onBuild: stage.replacedBy ? [] : evaluated.flatMap(({ instruction }) => instruction.trigger ?? []),
    ...(description && { description }),
    position: stage.from.position,
  }
}

/** `# NAME text` above FROM describes the stage. */
function descriptionOf(comments: readonly string[], name: string): string | undefined {
  return comments.find(comment => comment.startsWith(`${name} `))?.slice(name.length + 1)
}
