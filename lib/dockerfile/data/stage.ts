import type { Position } from '../document/document.ts'
import type { Step } from './step.ts'

/** Base of a stage: nothing, an earlier stage, an image, or a named context. */
export type StageBase =
  | {
      /** An empty root filesystem. */
      readonly scratch: true
    }
  | {
      /** Index in the list of stages; lower than that of the stage itself. */
      readonly stage: number
    }
  | {
      /** Reference of an image as written, with variables expanded. */
      readonly reference: string
      /** Platform, as `os/architecture[/variant]`. */
      readonly platform: string
    }
  | {
      /** Name of a named context that holds a root filesystem or an image. */
      readonly context: string
      /** Platform, as `os/architecture[/variant]`. */
      readonly platform: string
    }

/** A stage of a build: a base and the steps on top of it. Plain JSON data. */
export interface Stage {
  /** Name in lower case, if the stage has one. */
  readonly name?: string
  /** Base of the first step. */
  readonly base: StageBase
  /** Platform of the stage, as `os/architecture[/variant]`. */
  readonly platform: string
  /** Steps, in order. */
  readonly steps: readonly Step[]
  /** ONBUILD triggers of the resulting image. Those of the base are consumed. */
  readonly onBuild: readonly string[]
  /** Comment above FROM that describes the stage. */
  readonly description?: string
  /** Position of FROM; absent for stages of code. */
  readonly position?: Position
}
