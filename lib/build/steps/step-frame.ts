import type { BuildState } from '../stages/build-state.ts'

/** What a step is keyed and made from. */
export interface StepFrame {
  /** State of the stage before the step. */
  readonly state: BuildState
  /** Platform of the stage. */
  readonly platform: string
  /** State of a finished stage. */
  readonly stageOf: (stage: number) => BuildState | Promise<BuildState>
  /** Whether the step may fetch layers and download addresses; a plan may not. */
  readonly mayFetch: boolean
  /** Whether the content of downloads is needed, and not only their digests. */
  readonly wantContent?: boolean | undefined
  /** Whether records are asked. */
  readonly useCache: boolean
  readonly signal?: AbortSignal | undefined
}
