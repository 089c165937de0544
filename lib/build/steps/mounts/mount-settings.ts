/** Settings for the mounts of RUN. */
export interface MountSettings {
  /**
   * Secrets by their ids. They are in no layer, no key, no history and no message. Files of them are removed with the
   * step, or by the next build if this process is killed. A command that prints a secret prints it: output is passed on
   * as it is.
   */
  readonly secrets?: Readonly<Record<string, string | Uint8Array>> | undefined
  /** Sockets of ssh agents by their ids; `default` is the one of a mount without an id. */
  readonly sshAgents?: Readonly<Record<string, string>> | undefined
  /**
   * Directory for the cache mounts of all builds. Any number of processes may share it; `collectCacheMounts` of
   * `layerstore/sandbox` bounds it. @defaultValue each step starts with empty ones
   */
  readonly cacheMounts?: string | undefined
}
