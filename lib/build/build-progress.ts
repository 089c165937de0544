import type { PassedOver } from '../sandbox/index.ts'
import type { BuildWarning } from './build-warning.ts'
import type { Difference } from './cache/difference.ts'

/** Result of a step. */
export interface BuildStepResult {
  /** Stage and step, as `app 2/5`. */
  readonly id: string
  /** Platform of the image that the step belongs to. */
  readonly platform: string
  /** Text of the step for users. */
  readonly title: string
  /** Outcome: FROM, a change of the config only, a layer from the cache, or a new layer. */
  readonly outcome: 'base' | 'config' | 'cached' | 'made'
  /** Time of the step in milliseconds. */
  readonly milliseconds: number
  /** Reason why the step was executed. */
  readonly reason?: string | undefined
  /** Differences from the nearest record of the cache; at most 100. */
  readonly differs?: readonly Difference[] | undefined
}

/** Members of every progress event. */
export interface ProgressCommon {
  /** Stage and step, as `app 2/5`. */
  readonly id: string
  /** Platform of the image that the step belongs to. */
  readonly platform: string
  /** Text of the step for users. */
  readonly title: string
}

/** Work of a build besides its steps. */
export interface BuildTask {
  /**
   * Kind of the work: a layer is fetched, or the result goes to a registry, an archive, a directory, a tar archive of
   * files, or a cache.
   */
  readonly task: 'fetch' | 'push' | 'archive' | 'directory' | 'tar' | 'cache'
  /** Digest of the layer, or place of the output: a reference or a path. */
  readonly place: string
  /** Size of the layer in bytes. */
  readonly bytes?: number | undefined
}

/** Progress event of a build. */
export type BuildProgress =
  | ({
      /** The executor of commands is known, before the first step; it has the first step that needs it. */
      readonly kind: 'executor-chosen'
      /** Name of the executor. */
      readonly name: string
      /** Says what commands cannot do on this machine. */
      readonly note?: string | undefined
      /** Executors that do not work here. */
      readonly passedOver: readonly PassedOver[]
    } & ProgressCommon)
  | ({
      /** Something that the build passes over and that is most likely a mistake. */
      readonly kind: 'warning'
    } & BuildWarning)
  | ({
      /** A step starts. */
      readonly kind: 'step-started'
    } & ProgressCommon)
  | ({
      /** A step has failed. */
      readonly kind: 'step-failed'
    } & ProgressCommon)
  | ({
      /** A step was stopped before its end: the build was aborted, or another step has failed. */
      readonly kind: 'step-stopped'
    } & ProgressCommon)
  | ({
      /** A step has ended. */
      readonly kind: 'step-finished'
    } & BuildStepResult)
  | ({
      /** The command of a RUN has written output. */
      readonly kind: 'step-output'
      /** The output. */
      readonly chunk: Uint8Array
      /** Stream of the output. */
      readonly stream: 'stdout' | 'stderr'
    } & ProgressCommon)
  | ({
      /** Work besides the steps starts. */
      readonly kind: 'task-started'
    } & BuildTask)
  | ({
      /** Such work has failed. */
      readonly kind: 'task-failed'
    } & BuildTask)
  | ({
      /** Such work has ended. */
      readonly kind: 'task-finished'
      /** Time of the work in milliseconds. */
      readonly milliseconds: number
    } & BuildTask)
  | ({
      /** A layer grows. */
      readonly kind: 'step-bytes'
      /** Entries of the layer so far. */
      readonly entries: number
      /** Bytes of the layer so far. */
      readonly bytes: number
    } & ProgressCommon)

/** Receives progress; must not throw. */
export type OnBuildProgress = (progress: BuildProgress) => void
