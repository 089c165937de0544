import type { Digest } from '../digest/index.ts'
import type { Position, Stage } from '../dockerfile/index.ts'
import type { Difference } from './cache/difference.ts'
import type { LayerPolicies } from './keys/step-parts.ts'

/** A build as it would run now. Plain JSON data; making it changes nothing. */
export interface BuildPlan {
  readonly kind: 'build'
  readonly version: 1
  /** What the build is called in explanations: its first name, or its context. */
  readonly name: string
  /** One image for each platform. */
  readonly images: readonly ImagePlan[]
  readonly policies: LayerPolicies
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
}

/** An image that a build reads. */
export interface BasePlan {
  /** Reference as the stage names it. */
  readonly reference: string
  readonly platform: string
  /** Digest of its manifest. */
  readonly digest: Digest
  /** Number of its layers that are not in the store. */
  readonly missingLayers: number
  /** Their size in bytes. They are fetched only if a step reads them. */
  readonly missingBytes: number
}

/**
 * What a step needs: `base` is a FROM; `config` changes only the config; `cached` has a record; `make` must be made;
 * `unknown` depends on something that only the run finds out.
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
  /** The step as a person reads it. */
  readonly title: string
  readonly need: BuildNeed
  /** Why; one line. */
  readonly reason: string
  /** Key of the step, as far as it is known. */
  readonly key?: Digest | undefined
  /** What a cached step saves. */
  readonly saved?: { readonly milliseconds: number; readonly bytes: number } | undefined
  /** In what a step that must be made differs from the nearest record. At most 100. */
  readonly differs?: readonly Difference[] | undefined
  readonly position?: Position | undefined
}
