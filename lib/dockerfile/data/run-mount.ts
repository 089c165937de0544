import type { FileSource } from './file-source.ts'

/** A mount of RUN (`--mount`), checked and with variables expanded. */
export type RunMount = BindMount | CacheMount | TmpfsMount | SecretMount | SshMount

/** Files of the context, a stage or an image. Writes are discarded. */
export interface BindMount {
  readonly type: 'bind'
  /** Absolute path, never `/`. */
  readonly target: string
  readonly from: FileSource
  /** Path below the root of `from`; `/` mounts all of it. */
  readonly source: string
  readonly readOnly: boolean
}

/** A directory that outlives the build. */
export interface CacheMount {
  readonly type: 'cache'
  /** Absolute path, never `/`. */
  readonly target: string
  /** Name of the cache; the clean target if none is given. */
  readonly id: string
  /** What happens if two steps use it at once. */
  readonly sharing: 'shared' | 'private' | 'locked'
  /** What a new cache is filled with; absent: nothing. */
  readonly from?: FileSource
  /** Path below the root of `from`. */
  readonly source: string
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
  readonly type: 'tmpfs'
  /** Absolute path, never `/`. */
  readonly target: string
  /** Limit in bytes; absent: none. */
  readonly size?: number
}

/** A secret of the caller as a file, a variable, or both. */
export interface SecretMount {
  readonly type: 'secret'
  readonly id: string
  /** Path of the file; absent if there is only a variable. */
  readonly target?: string
  /** Name of the variable; absent if there is only a file. */
  readonly env?: string
  /** Whether the step fails if the caller has no such secret. Otherwise nothing is mounted. */
  readonly required: boolean
  readonly uid: number
  readonly gid: number
  readonly mode: number
}

/** The ssh agent of the caller as a socket, which `SSH_AUTH_SOCK` names. */
export interface SshMount {
  readonly type: 'ssh'
  readonly id: string
  /** Path of the socket; absent: the executor chooses one. */
  readonly target?: string
  /** Whether the step fails if the caller has no such agent. */
  readonly required: boolean
  readonly uid: number
  readonly gid: number
  readonly mode: number
}
