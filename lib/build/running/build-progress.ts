import type { Difference } from '../cache/difference.ts'

/** What became of a step. */
export interface BuildStepResult {
  /** Stage and step, as `app 2/5`. */
  readonly id: string
  /** Platform of the image that the step belongs to. */
  readonly platform: string
  readonly title: string
  readonly outcome: 'base' | 'config' | 'cached' | 'made'
  /** Time of the step in milliseconds. */
  readonly milliseconds: number
  /** Why the step was made. */
  readonly reason?: string | undefined
  readonly differs?: readonly Difference[] | undefined
}

interface ProgressCommon {
  /** Stage and step, as `app 2/5`. */
  readonly id: string
  readonly platform: string
  readonly title: string
}

/** What happens in a build. */
export type BuildProgress =
  | ({ readonly kind: 'step-started' } & ProgressCommon)
  | ({ readonly kind: 'step-failed' } & ProgressCommon)
  | ({ readonly kind: 'step-finished' } & BuildStepResult)
  /** What the command of a RUN writes. */
  | ({
      readonly kind: 'step-output'
      readonly chunk: Uint8Array
      readonly stream: 'stdout' | 'stderr'
    } & ProgressCommon)
  /** Entries and bytes of the layer so far. */
  | ({ readonly kind: 'step-bytes'; readonly entries: number; readonly bytes: number } & ProgressCommon)

/** Receives progress; must not throw. */
export type OnBuildProgress = (progress: BuildProgress) => void
