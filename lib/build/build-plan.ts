import type { Digest } from '../digest/index.ts'
import type { Position, Stage } from '../dockerfile/index.ts'
import type { BuildWarning } from './build-warning.ts'
import type { Difference } from './cache/difference.ts'
import type { LayerPolicies } from './keys/step-parts.ts'

/** A build as it would run now. Plain JSON data; making it changes nothing. */
export interface BuildPlan {
  /** Discriminant. */
  readonly kind: 'build'
  /** Version of the format. */
  readonly version: 1
  /** Name of the build in explanations: the first name of its image, or its context. */
  readonly name: string
  /** One image for each platform. */
  readonly images: readonly ImagePlan[]
  /** Policies for the entries of layers. */
  readonly policies: LayerPolicies
  /** Likely mistakes. `runBuild` reports them again, as progress. */
  readonly warnings: readonly BuildWarning[]
}

/** The image of one platform. */
export interface ImagePlan {
  /** Platform, as `os/architecture[/variant]`. */
  readonly platform: string
  /** Stages, each after those that it reads from; the last one becomes the image. */
  readonly stages: readonly Stage[]
  /** Images that stages start from or copy from. */
  readonly bases: readonly BasePlan[]
  /** Every FROM and every step, stage by stage. */
  readonly steps: readonly BuildPlanStep[]
  /** Proxy variables that RUN sees, as `NAME=value`. */
  readonly proxies: readonly string[]
  /** `SOURCE_DATE_EPOCH` of the Dockerfile, in seconds since 1970. */
  readonly sourceDateEpoch?: string | undefined
  /** Name of the Dockerfile in messages; absent for stages of code. */
  readonly file?: string | undefined
}

/** An image that a build reads. */
export interface BasePlan {
  /** Reference as the stage names it. */
  readonly reference: string
  /** Platform, as `os/architecture[/variant]`. */
  readonly platform: string
  /** Digest of its manifest. */
  readonly digest: Digest
  /** Digest of the index that listed it in its registry or layout. */
  readonly index?: Digest | undefined
  /** Number of its layers that are not in the store. */
  readonly missingLayers: number
  /** Their size in bytes. They are fetched only if a step reads them. */
  readonly missingBytes: number
}

/**
 * Need of a step: `base` is a FROM; `config` changes only the config; `cached` has a record; `make` must be made;
 * `unknown` depends on a result of the run.
 */
export type BuildNeed = 'base' | 'config' | 'cached' | 'make' | 'unknown'

/** One step of a plan. */
export interface BuildPlanStep {
  /** Stage and step, as `app 2/5`; unique among the steps of its platform. */
  readonly id: string
  /** Index of the stage. */
  readonly stage: number
  /** Index of the step in its stage; -1 for FROM. */
  readonly step: number
  /** Text of the step for users. */
  readonly title: string
  /** Need of the step. */
  readonly need: BuildNeed
  /** Reason of the need, in one line. */
  readonly reason: string
  /** Key of the step, as far as it is known. */
  readonly key?: Digest | undefined
  /** Cost that a cached step saves. */
  readonly saved?:
    | {
        /** Time of the step in milliseconds. */
        readonly milliseconds: number
        /** Size of its layer in bytes. */
        readonly bytes: number
      }
    | undefined
  /** Differences of a step that must be made from the nearest record of the cache. At most 100. */
  readonly differs?: readonly Difference[] | undefined
  /** Position in the Dockerfile; absent for steps of code. */
  readonly position?: Position | undefined
}
