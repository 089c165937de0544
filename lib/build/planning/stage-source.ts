import type { BaseRequest, Evaluation, Stage } from '../../dockerfile/index.ts'
import type { ImageConfig } from '../../oci/index.ts'
import type { BuildContext } from '../context/build-context.ts'

/** What the evaluation of stages is given. */
export interface EvaluationRequest {
  /** Target platform, as `os/architecture[/variant]`; absent: linux with the processor of this machine. */
  readonly platform?: string | undefined
  /** Names of the contexts that the build was given, without that of the build itself. */
  readonly contexts: readonly string[]
  /** Config of an image that a stage starts from; `undefined` if it is not known yet. */
  readonly bases: (request: BaseRequest) => ImageConfig | undefined
}

/** Evaluated stages of one platform. {@link Evaluation} of a Dockerfile is one. */
export interface EvaluatedStages extends Pick<Evaluation, 'platform' | 'stages' | 'unresolved'> {
  readonly proxies?: Evaluation['proxies']
  readonly sourceDateEpoch?: Evaluation['sourceDateEpoch']
  /** Contexts that the stages bring along, such as files in memory, by their names. */
  readonly contexts?: Readonly<Record<string, BuildContext>> | undefined
}

/** Where the stages of a build come from: a Dockerfile, or code. Asked again until no base is unresolved. */
export interface StageSource {
  evaluate(request: EvaluationRequest): EvaluatedStages | Promise<EvaluatedStages>
}

/** Stages of a build: what evaluates to them, or the stages themselves, for one platform. */
export type BuildStages = StageSource | readonly Stage[]
