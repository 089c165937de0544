/** Health check of a container. Times are nanoseconds; 0 inherits the default. */
export interface Healthcheck {
  /** `['NONE']`, `['CMD', …]` or `['CMD-SHELL', text]`. */
  readonly Test: readonly string[]
  /** Time between two checks. */
  readonly Interval?: number
  /** Time after which a check counts as failed. */
  readonly Timeout?: number
  /** Time after the start in which failures do not count. */
  readonly StartPeriod?: number
  /** Time between two checks during the start period. */
  readonly StartInterval?: number
  /** Number of failures in a row after which the container is unhealthy. */
  readonly Retries?: number
}

/**
 * Change of an image config by one step. Absent members change nothing. The engine applies the members unchanged and
 * needs no knowledge of instructions.
 */
export interface ConfigChange {
  /** Members of the run configuration to remove first, by their names there, such as `Env`. Only code asks for it. */
  readonly reset?: readonly string[]
  /** Variables in order: a name that exists is replaced in place, a new one appended. */
  readonly env?: readonly (readonly [name: string, value: string])[]
  /** Labels in order: added or replaced. */
  readonly labels?: readonly (readonly [name: string, value: string])[]
  /** `User`, not resolved. */
  readonly user?: string
  /** Ports to add, as `8080/tcp`. */
  readonly exposedPorts?: readonly string[]
  /** Volumes to add. */
  readonly volumes?: readonly string[]
  /** `Cmd`; `null` removes it. */
  readonly cmd?: readonly string[] | null
  /** `Entrypoint`; `null` removes it. */
  readonly entrypoint?: readonly string[] | null
  /** `ArgsEscaped`, which Docker's config has. */
  readonly argsEscaped?: boolean
  /** `Shell`, which Docker's config has. */
  readonly shell?: readonly string[]
  /** `StopSignal`. */
  readonly stopSignal?: string
  /** `Healthcheck`, which Docker's config has; replaced as a whole. */
  readonly healthcheck?: Healthcheck
  /** `author` of the image. */
  readonly author?: string
}
