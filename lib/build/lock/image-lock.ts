import type { Digest } from '../../digest/index.ts'
import type { FixedBase } from '../bases/fixed-base.ts'

/** A base of a build as a lock has it. */
export interface LockedBase extends FixedBase {
  /** Digests of its layers, lowest first. */
  readonly layers: readonly Digest[]
}

/** Inputs of a build besides its bases. */
export interface LockedInputs {
  /** Digest of the context, from `contextDigest`; absent for a build without one. */
  readonly context?: Digest
  /** Digest of the text of the Dockerfile; absent for stages of code. */
  readonly dockerfile?: Digest
  /** Stage that was asked for. */
  readonly target?: string
  /** Build arguments. Values that seem to be secrets are `xxxxx`. */
  readonly args: Readonly<Record<string, string>>
}

/** The image of one platform. */
export interface LockedImage {
  /** Platform, as `os/architecture[/variant]`. */
  readonly platform: string
  /** Digest of its manifest. */
  readonly digest: Digest
  /** Digest of its config. */
  readonly config: Digest
  /** Digests of its layers, lowest first. */
  readonly layers: readonly Digest[]
}

/**
 * Content of a lock file: the inputs of a build by their digests, and its result. Plain JSON data. `formatImageLock`
 * sorts the lists.
 */
export interface ImageLock {
  /** Version of the format. */
  readonly version: 1
  /** Bases that the build read. */
  readonly bases: readonly LockedBase[]
  /** Compressor of new layers with the version of its library, such as `gzip-6/zlib-1.3.1`. */
  readonly compressor: string
  /** Further inputs. */
  readonly inputs: LockedInputs
  /** Images that the build made. */
  readonly images: readonly LockedImage[]
}

/** Use of a lock in a build. */
export interface BuildLockOptions {
  /** Lock of an earlier build: its bases are used with the digests that they have there. */
  readonly locked?: ImageLock | undefined
  /** Refuses a base that `locked` does not have. @defaultValue `false` */
  readonly frozen?: boolean | undefined
  /** Build arguments, which the new lock lists. */
  readonly buildArgs?: Readonly<Record<string, string | undefined>> | undefined
  /** Name of the stage that is built, which the new lock names. */
  readonly target?: string | undefined
  /** Path in the context that is no input: that of the lock file. */
  readonly omit?: string | undefined
  /** Receives the lock of the finished build. */
  readonly onLock?: ((lock: ImageLock) => void | Promise<void>) | undefined
}
