import type { ImageConfig } from '../../oci/index.ts'
import type { Position } from '../document/document.ts'
import type { Stage } from './stage.ts'

/** An image that a stage starts from and whose config the evaluation needs. */
export interface BaseRequest {
  /** Reference as written, with variables expanded; absent if a named context is asked for. */
  readonly reference?: string
  /** Name of a named context; absent if an image is asked for. */
  readonly context?: string
  /** Wanted platform, as `os/architecture[/variant]`. */
  readonly platform: string
  /** Position of a FROM that names the base; absent for stages of code. */
  readonly position?: Position
}

/** Options of {@link evaluateDockerfile}. */
export interface EvaluateDockerfileOptions {
  /** Values of build arguments; `undefined` removes one. */
  readonly buildArgs?: Readonly<Record<string, string | undefined>>
  /** Target platform, as `os/architecture[/variant]`; default: linux with the processor of this machine. */
  readonly platform?: string
  /** Platform of the builder; default: linux with the processor of this machine. */
  readonly buildPlatform?: string
  /** Name of the stage to build; default: the last. */
  readonly target?: string
  /**
   * Config of a base, or `undefined` if the caller has not read it yet: the evaluation then continues as if the base
   * set nothing, and lists the request in {@link Evaluation.unresolved}.
   */
  readonly bases?: (request: BaseRequest) => ImageConfig | undefined
  /**
   * Named contexts (`--build-context`): meaning of a name in FROM, `--from` and mounts. `{ reference }` is another
   * image, `{ context }` a context that the caller keeps under this name.
   */
  readonly contexts?: Readonly<
    Record<
      string,
      | {
          /** Reference of an image. */
          readonly reference: string
        }
      | {
          /** Name of a context that the caller keeps. */
          readonly context: string
        }
    >
  >
}

/**
 * A Dockerfile evaluated for one platform and target: every variable expanded, every flag checked, stages that the
 * target does not need left out. Plain JSON data.
 */
export interface Evaluation {
  /** Version of this data. */
  readonly version: 1
  /** Target platform, as `os/architecture[/variant]`. */
  readonly platform: string
  /** Stages that the target needs, each after those that it reads from. The last one is the target. */
  readonly stages: readonly Stage[]
  /** Bases whose config is not known yet. Evaluate again with them; ONBUILD triggers may add more. */
  readonly unresolved: readonly BaseRequest[]
  /** Proxy arguments as `NAME=value`: RUN sees them, but they are in no history and no cache key. */
  readonly proxies: readonly string[]
  /** Value of `SOURCE_DATE_EPOCH`, from a build argument or a global ARG. */
  readonly sourceDateEpoch?: string
  /** Build arguments that no reached ARG declares and that have no meaning of their own. */
  readonly unusedBuildArgs: readonly string[]
}
