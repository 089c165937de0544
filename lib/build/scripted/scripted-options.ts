import type { Files } from '../../layer/index.ts'
import type { BuildContext } from '../context/build-context.ts'
import type { StageNode } from './script-state.ts'

/** Options of every step. */
export interface StepOptions {
  /** Execute the step even if there is a record of it. @defaultValue `false` */
  readonly noCache?: boolean | undefined
  /**
   * Consecutive steps with the same text become one layer, without the layers below them: a file that one of them adds
   * and another removes is in no layer.
   */
  readonly squash?: string | undefined
}

/** Source of a copy. */
export type CopyFrom =
  /** The files of a stage. */
  | StageNode
  /** A reference of an image. */
  | string
  /** The files of a context. */
  | BuildContext
  | {
      /** Name of a context that `planBuild` is given. */
      readonly context: string
    }

/** Options of a copy. */
export interface CopyOptions extends StepOptions {
  /** Owner as `user[:group]`, names or numbers. @defaultValue root; for stages and images the owner there */
  readonly chown?: string | undefined
  /** Permissions, octal (`'755'`) or symbolic (`'u=rwX,go=rX'`). */
  readonly chmod?: string | undefined
  /** Patterns of files to leave out, as in an ignore file, relative to each source. */
  readonly exclude?: readonly string[] | undefined
  /**
   * Make a layer that does not depend on the layers below it, so that their changes do not cause it to be made again.
   */
  readonly link?: boolean | undefined
  /** Recreate the directories above each source, or those behind the pivot `/./` in it. */
  readonly parents?: boolean | undefined
  /** Copy a directory itself, with its name, mode and owner, not only its content. */
  readonly itself?: boolean | undefined
  /** Latest time that a file of the layer may have: seconds since 1970, or a date. */
  readonly latestTime?: number | Date | undefined
}

/** A copy with its source. */
export interface CopySourceOptions extends CopyOptions {
  /** @defaultValue the context of the build */
  readonly from?: CopyFrom | undefined
  /** Paths and patterns. @defaultValue `'.'` */
  readonly source?: string | readonly string[] | undefined
  /** Files in memory or generated files, by their paths below the destination, in place of `from` and `source`. */
  readonly files?: Files | undefined
  /** Destination, relative to the working directory. With a trailing slash it is a directory. */
  readonly to: string
}

/** Options of a download. */
export interface AddOptions
  extends Pick<CopyOptions, 'chown' | 'chmod' | 'link' | 'noCache' | 'squash' | 'latestTime'> {
  /** Digest that the file must have, `sha256:…`; of a repository the commit, or its beginning. */
  readonly checksum?: string | undefined
  /** Unpack an archive. @defaultValue `false` */
  readonly unpack?: boolean | undefined
  /** Keep `.git` of a repository. @defaultValue `false` */
  readonly keepGitDirectory?: boolean | undefined
}

/** Mount of a command. It is in no layer. */
export type ScriptedMount =
  /** A directory that outlives the build. */
  | {
      /** Path of the directory. */
      readonly cache: string
      /** Name of the cache. @defaultValue the path */
      readonly id?: string | undefined
      /** Handling of two steps that use the cache at once. @defaultValue `'shared'` */
      readonly sharing?: 'shared' | 'private' | 'locked' | undefined
      /** Files that a new cache begins with. @defaultValue none */
      readonly from?: CopyFrom | undefined
      /** Path below the root of `from`. @defaultValue all of it */
      readonly source?: string | undefined
      /** Owner of a new directory. @defaultValue `0` */
      readonly uid?: number | undefined
      /** Group of a new directory. @defaultValue `0` */
      readonly gid?: number | undefined
      /** Permissions of a new directory. @defaultValue `0o755` */
      readonly mode?: number | undefined
    }
  /** The socket of an ssh agent that `runBuild` is given; `SSH_AUTH_SOCK` names it. */
  | {
      /** Name of the agent, such as `default`. */
      readonly ssh: string
      /** Path of the socket. @defaultValue `/run/buildkit/ssh_agent.N` */
      readonly target?: string | undefined
      /** Fail if `runBuild` is not given the agent. @defaultValue `true` */
      readonly required?: boolean | undefined
    }
  /** Files, read-only unless `writable`; what is written is discarded. */
  | {
      /** Path of the mount. */
      readonly bind: string
      /** Source of the files. @defaultValue the context of the build */
      readonly from?: CopyFrom | undefined
      /** Path below the root of `from`. @defaultValue all of it */
      readonly source?: string | undefined
      /** Allow writes, which are discarded. @defaultValue `false` */
      readonly writable?: boolean | undefined
    }
  /** A secret that `runBuild` is given, as a file (`/run/secrets/ID`) or a variable. */
  | {
      /** Name of the secret. */
      readonly secret: string
      /** Path of the file. @defaultValue `/run/secrets/ID`, or no file if `env` is set */
      readonly target?: string | undefined
      /** Name of the variable. */
      readonly env?: string | undefined
      /** Fail if `runBuild` is not given the secret. @defaultValue `true` */
      readonly required?: boolean | undefined
    }
  /** A file system in memory. */
  | {
      /** Path of the file system. */
      readonly tmpfs: string
      /** Limit in bytes. @defaultValue none */
      readonly size?: number | undefined
    }

/** Options of a command. */
export interface RunOptionsOfStage extends StepOptions {
  /** Mounts, in order. */
  readonly mounts?: readonly ScriptedMount[] | undefined
  /** @defaultValue `'default'` */
  readonly network?: 'default' | 'none' | 'host' | undefined
}

/** Members of the run configuration that `reset` removes. */
export type ConfigMember =
  | 'env'
  | 'volumes'
  | 'ports'
  | 'labels'
  | 'entrypoint'
  | 'cmd'
  | 'user'
  | 'workdir'
  | 'healthcheck'
  | 'stopSignal'
