import type { BaseRequest, Evaluation, Stage } from '../../dockerfile/index.ts'
import type { ImageConfig } from '../../oci/index.ts'
import type { BuildContext } from '../context/build-context.ts'

/** Input of the evaluation of stages. */
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
  /** Name and text of the Dockerfile, for messages. */
  readonly dockerfile?:
    | {
        /** Name in messages. */
        readonly file: string
        /** The text. */
        readonly source: string
      }
    | undefined
  /** Build arguments that no ARG declares. */
  readonly unusedBuildArgs?: Evaluation['unusedBuildArgs'] | undefined
  /** Proxy arguments as `NAME=value`. */
  readonly proxies?: Evaluation['proxies']
  /** Value of `SOURCE_DATE_EPOCH`. */
  readonly sourceDateEpoch?: Evaluation['sourceDateEpoch']
  /** Contexts of the stages themselves, such as files in memory, by name. */
  readonly contexts?: Readonly<Record<string, BuildContext>> | undefined
  /** Objects that `buildImage` disposes at the end of the build. */
  readonly owned?: readonly AsyncDisposable[] | undefined
}

/** Source of the stages of a build: a Dockerfile, or code. */
export interface StageSource {
  /** Evaluates the stages; called again until no base is unresolved. */
  evaluate(request: EvaluationRequest): EvaluatedStages | Promise<EvaluatedStages>
}

/** Stages of a build: what evaluates to them, or the stages themselves, for one platform. */
export type BuildStages = StageSource | readonly Stage[]
