import type { AbortOptions } from '../../internal/abort.ts'
import type { ProcessUser } from '../accounts/resolve-user.ts'

/** Whether an executor works on this machine. */
export interface ExecutorProbe {
  /** True if the executor works. */
  readonly works: boolean
  /** Missing program or feature, and what to install, if it does not work. */
  readonly reason?: string | undefined
}

/** Mount in the root filesystem of a process. */
export type ProcessMount =
  | {
      /** Discriminant. */
      readonly type: 'bind'
      /** Path on this machine: a directory, a file or a socket. */
      readonly source: string
      /** Absolute path inside the root filesystem. */
      readonly target: string
      /** True if writes fail. */
      readonly readOnly: boolean
    }
  | {
      /** Discriminant. */
      readonly type: 'tmpfs'
      /** Absolute path inside the root filesystem. */
      readonly target: string
      /** Limit in bytes. */
      readonly size?: number | undefined
    }

/** A process to run in a root filesystem. */
export interface ProcessSpec extends AbortOptions {
  /** Directory on this machine that is the root filesystem. */
  readonly root: string
  /** Program and arguments. */
  readonly args: readonly string[]
  /** Variables, as `NAME=value`. */
  readonly environment: readonly string[]
  /** Working directory, absolute, inside the root filesystem. It exists. */
  readonly workdir: string
  /** User and groups of the process. */
  readonly user: ProcessUser
  /** Mounts, in order; a later one covers an earlier one at the same path. */
  readonly mounts: readonly ProcessMount[]
  /** `none` leaves only the loopback device; `host` is the network of this machine without isolation. */
  readonly network: 'default' | 'none' | 'host'
  /** Directory for files of the executor, such as `/etc/hosts`. @defaultValue the one for temporary files */
  readonly scratch?: string | undefined
  /** Receives the output of the process; must not throw. */
  readonly onOutput?: ((chunk: Uint8Array, stream: 'stdout' | 'stderr') => void) | undefined
}

/** End of a process. */
export interface ProcessExit {
  /** Exit code; 128 + n after signal n. */
  readonly code: number
}

/** A way to run processes in a root filesystem, isolated from this machine. */
export interface Executor {
  /** Name, such as `bwrap`. */
  readonly name: string

  /** Resolves to whether the executor works on this machine. */
  probe(options?: AbortOptions): Promise<ExecutorProbe>

  /**
   * Runs a process to its end, then ends the processes that it left running. An aborted call ends the process and
   * rejects with the reason of the signal.
   */
  run(process: ProcessSpec): Promise<ProcessExit>
}
