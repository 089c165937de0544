import type { AbortOptions } from '../../internal/abort.ts'
import type { ProcessUser } from '../accounts/resolve-user.ts'
import type { ResourceLimit } from './limits/resource-limits.ts'

/** Whether an executor works on this machine. */
export interface ExecutorProbe {
  /** True if the executor works. */
  readonly works: boolean
  /** Missing program or feature, and what to install, if it does not work. */
  readonly reason?: string | undefined
  /** Says what a process cannot do although the executor works, and how to change that. */
  readonly note?: string | undefined
  /** Executors that would have been better, if there was a choice. */
  readonly passedOver?: readonly PassedOver[] | undefined
}

/** An executor that does not work on this machine. */
export interface PassedOver {
  /** Name of the executor. */
  readonly name: string
  /** Missing program or feature, and what to install. */
  readonly reason: string
}

/** Options of a probe. */
export interface ProbeOptions extends AbortOptions {
  /** Platform of the programs that will run, such as `linux/arm64`. @defaultValue that of this machine */
  readonly platform?: string | undefined
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
      /** Permission bits. @defaultValue those of the directory that it hides; 1777 in octal if there is none */
      readonly mode?: number | undefined
    }

/** Limits of a process and all that it starts. */
export interface ProcessLimits {
  /** Memory in bytes, swap included. */
  readonly memory?: number | undefined
  /** Number of processes and threads at one time. */
  readonly processes?: number | undefined
  /** Time in seconds; then everything is killed. */
  readonly seconds?: number | undefined
  /** Limits of the resources of each process, such as open files. @defaultValue those of this process */
  readonly resources?: readonly ResourceLimit[] | undefined
}

/** Name of another machine, for `/etc/hosts`. */
export interface ExtraHost {
  /** Host name. */
  readonly name: string
  /** IPv4 or IPv6 address. */
  readonly address: string
}

/** A process that runs. */
export interface RunningProcess {
  /**
   * Sends a signal to the process, which is the first of its namespace: a signal that it does not handle has no effect,
   * except `SIGKILL`, which ends everything. Does nothing after its end.
   */
  kill(signal: NodeJS.Signals): void

  /** Returns its number on this machine; `undefined` if it has not begun, has ended, or is not known. */
  pid?(): number | undefined
}

/** A process to run in a root filesystem. */
export interface ProcessSpec extends AbortOptions {
  /** Directory on this machine that is the root filesystem. */
  readonly root: string
  /** True if the process cannot change the root filesystem. @defaultValue false */
  readonly readOnlyRoot?: boolean | undefined
  /** Program and arguments. A program without a slash is searched in the `PATH` of the variables. */
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
  /** Host name. @defaultValue `'buildkitsandbox'`, as in a build of Docker */
  readonly hostname?: string | undefined
  /** Further lines of `/etc/hosts`. */
  readonly extraHosts?: readonly ExtraHost[] | undefined
  /** Capabilities of root, such as `CAP_CHOWN`. @defaultValue the 14 of Docker */
  readonly capabilities?: readonly string[] | undefined
  /**
   * `default` refuses the system calls that Docker refuses, such as `keyctl`, `bpf` and those that make namespaces and
   * mounts; `all` refuses none. The executor `chroot` needs perl or python3 for it. @defaultValue `'default'`
   */
  readonly systemCalls?: 'default' | 'all' | undefined
  /** Limits. An executor that cannot set one of them rejects. */
  readonly limits?: ProcessLimits | undefined
  /** Directory for files of the executor, such as `/etc/hosts`. @defaultValue the one for temporary files */
  readonly scratch?: string | undefined
  /**
   * Standard input: `inherit` is that of this process. A stream that fails ends the input. @defaultValue `'empty'`
   */
  readonly stdin?: 'empty' | 'inherit' | AsyncIterable<Uint8Array> | undefined
  /**
   * `inherit`: the process writes to the standard output and error of this process, and `onOutput` gets nothing.
   * @defaultValue `'pipe'`
   */
  readonly output?: 'pipe' | 'inherit' | undefined
  /**
   * True if the process gets a terminal of its own, connected to standard input and output; both streams are one then.
   * With `inherit` the terminal of this process is in raw mode until the end, so that keys such as Ctrl-C reach the
   * process. @defaultValue false
   */
  readonly terminal?: boolean | undefined
  /** Receives the output of the process; must not throw. */
  readonly onOutput?: ((chunk: Uint8Array, stream: 'stdout' | 'stderr') => void) | undefined
  /** Is called when the process has been started, to send signals to it; must not throw. */
  readonly onStart?: ((running: RunningProcess) => void) | undefined
}

/** End of a process. */
export interface ProcessExit {
  /** Exit code; 128 + n after signal n. */
  readonly code: number
  /** The limit that was reached; the code may then be any. */
  readonly limit?: 'memory' | 'processes' | 'seconds' | undefined
  /** Says what this machine does not allow the process: a possible cause of its failure. */
  readonly note?: string | undefined
}

/** A way to run processes in a root filesystem, isolated from this machine. */
export interface Executor {
  /** Name, such as `bwrap`. */
  readonly name: string

  /** Resolves to whether the executor works on this machine. */
  probe(options?: ProbeOptions): Promise<ExecutorProbe>

  /**
   * Runs a process to its end, then ends the processes that it left running. An aborted call ends the process and
   * rejects with the reason of the signal. The mount points that the process needs are gone afterwards.
   *
   * @throws {@link SandboxError} `ERR_SANDBOX_PROGRAM` if the program does not exist or cannot be executed,
   * `ERR_SANDBOX_MOUNT`, `ERR_SANDBOX_LIMIT`, `ERR_SANDBOX_START`, `ERR_SANDBOX_NO_EXECUTOR`.
   */
  run(process: ProcessSpec): Promise<ProcessExit>
}
