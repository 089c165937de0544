import type { ExtraHost, ProcessLimits, ProcessMount, ProcessSpec } from '../../executors/executor.ts'

/** Settings of the process of a container. The config of the image gives what is absent. */
export interface ContainerSettings {
  /** Command: arguments of the entrypoint, or the program if there is none. Empty for that of the image. */
  readonly command?: readonly string[] | undefined
  /** Entrypoint; the command of the image is not used then. An empty list for none. */
  readonly entrypoint?: readonly string[] | undefined
  /** Variables, as `NAME=value`, which replace those of the image by their names. */
  readonly environment?: readonly string[] | undefined
  /** Working directory, absolute. It is created if the image lacks it. */
  readonly workdir?: string | undefined
  /** User, as `user[:group]`, names or numbers. */
  readonly user?: string | undefined
  /** Host name. @defaultValue the first 12 characters of the id; that of this machine with its network */
  readonly hostname?: string | undefined
  /** `none` leaves only the loopback device; `host` is the network of this machine. @defaultValue `'default'` */
  readonly network?: ProcessSpec['network'] | undefined
  /** Directories and files of this machine, and directories in memory. */
  readonly mounts?: readonly ProcessMount[] | undefined
  /** True if the process cannot change the root filesystem. @defaultValue false */
  readonly readOnlyRoot?: boolean | undefined
  /** Further lines of `/etc/hosts`. */
  readonly extraHosts?: readonly ExtraHost[] | undefined
  /** Limits of the process and all that it starts. @defaultValue none */
  readonly limits?: ProcessLimits | undefined
  /** System calls that are allowed: see {@link ProcessSpec.systemCalls}. @defaultValue `'default'` */
  readonly systemCalls?: ProcessSpec['systemCalls'] | undefined
  /** True if the process gets a terminal; then `TERM` is set. @defaultValue false */
  readonly terminal?: boolean | undefined
}

/** The process of a container: the settings, completed from the config of the image. */
export interface ContainerProcess
  extends Pick<
    ProcessSpec,
    'args' | 'environment' | 'workdir' | 'network' | 'mounts' | 'extraHosts' | 'limits' | 'systemCalls'
  > {
  /** User as the settings or the config name it; an empty text is root. */
  readonly user: string
  /** Host name. */
  readonly hostname: string
  /** True if the process cannot change the root filesystem. */
  readonly readOnlyRoot: boolean
  /** True if the process gets a terminal. */
  readonly terminal: boolean
  /** Signal that asks the process to end. */
  readonly stopSignal: string
}
