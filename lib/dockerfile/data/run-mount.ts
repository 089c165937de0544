import type { FileSource } from './file-source.ts'

/** A mount of RUN (`--mount`), checked and with variables expanded. */
export type RunMount = BindMount | CacheMount | TmpfsMount | SecretMount | SshMount

/** Files of the context, a stage or an image. Writes are discarded. */
export interface BindMount {
  /** Discriminant. */
  readonly type: 'bind'
  /** Absolute path, never `/`. */
  readonly target: string
  /** Source of the files. */
  readonly from: FileSource
  /** Path below the root of `from`; `/` mounts all of it. */
  readonly source: string
  /** True if writes fail; otherwise they are discarded. */
  readonly readOnly: boolean
}

/** A directory that outlives the build. */
export interface CacheMount {
  /** Discriminant. */
  readonly type: 'cache'
  /** Absolute path, never `/`. */
  readonly target: string
  /** Name of the cache; the clean target if none is given. */
  readonly id: string
  /** Handling of two steps that use the cache at once. */
  readonly sharing: 'shared' | 'private' | 'locked'
  /** Initial content of a new cache; absent if it is empty. */
  readonly from?: FileSource
  /** Path below the root of `from`. */
  readonly source: string
  /** True if writes fail. */
  readonly readOnly: boolean
  /** Owner of a new directory. */
  readonly uid: number
  /** Group of a new directory. */
  readonly gid: number
  /** Mode of a new directory. */
  readonly mode: number
}

/** A file system in memory. */
export interface TmpfsMount {
  /** Discriminant. */
  readonly type: 'tmpfs'
  /** Absolute path, never `/`. */
  readonly target: string
  /** Limit in bytes; absent: none. */
  readonly size?: number
}

/** A secret of the caller as a file, a variable, or both. */
export interface SecretMount {
  /** Discriminant. */
  readonly type: 'secret'
  /** Name of the secret. */
  readonly id: string
  /** Path of the file; absent if there is only a variable. */
  readonly target?: string
  /** Name of the variable; absent if there is only a file. */
  readonly env?: string
  /** True if the step fails without the secret; otherwise nothing is mounted then. */
  readonly required: boolean
  /** Owner of the file. */
  readonly uid: number
  /** Group of the file. */
  readonly gid: number
  /** Mode of the file. */
  readonly mode: number
}

/** The ssh agent of the caller as a socket, which `SSH_AUTH_SOCK` names. */
export interface SshMount {
  /** Discriminant. */
  readonly type: 'ssh'
  /** Name of the agent. */
  readonly id: string
  /** Path of the socket; absent: the executor chooses one. */
  readonly target?: string
  /** True if the step fails without the agent. */
  readonly required: boolean
  /** Owner of the socket. */
  readonly uid: number
  /** Group of the socket. */
  readonly gid: number
  /** Mode of the socket. */
  readonly mode: number
}
