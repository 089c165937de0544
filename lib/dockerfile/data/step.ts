import type { Position } from '../document/document.ts'
import type { ConfigChange } from './config-change.ts'
import type { FileSource } from './file-source.ts'
import type { RunMount } from './run-mount.ts'

/** A step of a stage. Steps of a Dockerfile and steps of code are the same data. */
export type Step = CopyStep | FetchStep | RunStep | WorkdirStep | ConfigStep

/** Members that every step has. */
export interface StepCommon {
  /** History text of the step (`created_by`), byte for byte. */
  readonly text: string
  /** Text of the step for users, in progress and plans, such as `COPY . /app`. */
  readonly title: string
  /** Place in the Dockerfile; absent for steps of code. For an ONBUILD trigger of a base: the FROM. */
  readonly position?: Position
  /** True if the cache is not consulted for this step. */
  readonly noCache?: true
  /** Steps in a row with the same text make one layer together; only steps of code have it. */
  readonly squash?: string
  /** The ONBUILD trigger that the step comes from. */
  readonly onBuild?: string
}

/** A file whose content is part of the step: a here-document, or a file made by code. */
export interface InlineFile {
  /** Name, which the file gets if the destination is a directory. */
  readonly name: string
  /** Content, as text or in base64. */
  readonly content: string
  /** Absent if the content is text (written as UTF-8). */
  readonly encoding?: 'base64'
  /** Permissions unless `chmod` is set; absent means 0644. */
  readonly mode?: number
}

/** Members of steps that add files, which make one layer. */
export interface AddFiles {
  /** Absolute path. With a trailing slash it is a directory. */
  readonly destination: string
  /** `user[:group]`, names or numbers, variables expanded. */
  readonly chown?: string
  /** Octal or symbolic mode, variables expanded. */
  readonly chmod?: string
  /** True if the layer is independent of the layers below (`--link`). */
  readonly link?: true
  /** Latest time that a file of the layer may have, in seconds since 1970; only steps of code have it. */
  readonly latestTime?: number
}

/** COPY, and ADD of sources that are not all remote. Makes one layer. */
export interface CopyStep extends StepCommon, AddFiles {
  /** Discriminant. */
  readonly kind: 'copy'
  /** Source of the paths. */
  readonly from: FileSource
  /** Paths and patterns below the root of `from`, variables expanded. Empty if there are only inline files. */
  readonly sources: readonly string[]
  /** Files whose content is part of the step. */
  readonly files: readonly InlineFile[]
  /** Remote sources of an ADD that has local ones too. */
  readonly remotes: readonly RemoteSource[]
  /** True if paths below the pivot `/./` are recreated at the destination (`--parents`). */
  readonly parents?: true
  /** Patterns of paths to leave out (`--exclude`). */
  readonly exclude?: readonly string[]
  /** True if local archives are unpacked (ADD without `--unpack=false`). */
  readonly unpack?: true
}

/** ADD of remote sources only. Makes one layer. */
export interface FetchStep extends StepCommon, AddFiles {
  /** Discriminant. */
  readonly kind: 'fetch'
  /** Sources to download. */
  readonly remotes: readonly RemoteSource[]
  /** Patterns of paths to leave out (`--exclude`). */
  readonly exclude?: readonly string[]
}

/** A source of ADD that is downloaded. */
export type RemoteSource = HttpSource | GitSource

/** A file at an http or https address. */
export interface HttpSource {
  /** Address of the file. */
  readonly url: string
  /** Digest that the content must have, `algorithm:hex`. */
  readonly checksum?: string
  /** True if an archive is unpacked (`--unpack=true`). */
  readonly unpack?: true
}

/** A git repository. */
export interface GitSource {
  /** Address without fragment and options. */
  readonly git: string
  /** Branch, tag or commit. */
  readonly ref?: string
  /** Directory of the repository to take. */
  readonly subdirectory?: string
  /** Commit that `ref` must lead to; a prefix is allowed. */
  readonly checksum?: string
  /** True if `.git` is kept (`--keep-git-dir`). */
  readonly keepGitDirectory?: true
  /** False if submodules are omitted. */
  readonly submodules?: false
}

/** Command of RUN. */
export type RunCommand =
  /** The exec form. */
  | {
      /** Program and arguments. */
      readonly args: readonly string[]
    }
  /** The shell's words; `text` follows them as one more argument. */
  | {
      /** The shell and its options. */
      readonly shell: readonly string[]
      /** Text for the shell. */
      readonly text: string
      /** A here-document with a `#!` line: a file of mode 0755 that is mounted read-only for this step. */
      readonly script?: {
        /** Absolute path inside the root filesystem. */
        readonly path: string
        /** Content of the file. */
        readonly content: string
      }
    }

/** RUN: executes a command. Makes one layer. */
export interface RunStep extends StepCommon {
  /** Discriminant. */
  readonly kind: 'run'
  /** The command. */
  readonly command: RunCommand
  /** Mounts of the command, in order. */
  readonly mounts: readonly RunMount[]
  /** Network of the command (`--network`). */
  readonly network: 'default' | 'none' | 'host'
  /**
   * Variables that the command sees, as `NAME=value`: those of the config and the declared build arguments. Proxy
   * arguments are not among them, see {@link Evaluation.proxies}.
   */
  readonly environment: readonly string[]
  /** User in force, as in the config; empty for root. */
  readonly user: string
  /** Working directory in force, absolute, as in the config. */
  readonly workdir: string
}

/**
 * WORKDIR: sets the working directory and makes it. Makes one layer, also if the directory exists, unless the path is
 * `/`.
 */
export interface WorkdirStep extends StepCommon {
  /** Discriminant. */
  readonly kind: 'workdir'
  /** Absolute path as it gets into the config; an absolute path of WORKDIR is not cleaned. */
  readonly path: string
  /** User in force, the owner of a new directory; empty for root. */
  readonly user: string
}

/** An instruction that changes only the config. Makes an `empty_layer` entry of the history. */
export interface ConfigStep extends StepCommon {
  /** Discriminant. */
  readonly kind: 'config'
  /** Empty for ARG, which changes only the environment of the build. */
  readonly set: ConfigChange
}
