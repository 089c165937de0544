import type { BuildState } from '../stages/build-state.ts'

/** Input for the key and the result of a step. */
export interface StepFrame {
  /** State of the stage before the step. */
  readonly state: BuildState
  /** Platform of the stage. */
  readonly platform: string
  /** State of a finished stage. */
  readonly stageOf: (stage: number) => BuildState | Promise<BuildState>
  /** True if the step may fetch layers and download files; a plan may not. */
  readonly mayFetch: boolean
  /** True if the content of downloads is needed, not only their digests. */
  readonly wantContent?: boolean | undefined
  /** True if the step may use records. */
  readonly useCache: boolean
  readonly signal?: AbortSignal | undefined
}
