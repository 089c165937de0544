import type { HasherEngine } from '../../digest/index.ts'
import type { AbortOptions } from '../../internal/abort.ts'
import type { TarLimits } from '../../tar/index.ts'
import type { UnpackProgress } from './unpack-report.ts'

/** How to write a root filesystem to a directory. */
export interface UnpackOptions extends AbortOptions {
  /**
   * Whether to leave owners and set-id bits aside, as a user who is not root has to. What was not applied is reported.
   * @defaultValue whether this process is not root
   */
  readonly rootless?: boolean | undefined
  /** Keep set-user-id, set-group-id bits although owners are not applied. @defaultValue `false` with `rootless` */
  readonly keepSetId?: boolean | undefined
  /**
   * Write into a directory that is not empty. What is there stays unless an entry replaces it or a whiteout removes it.
   * A failure cannot be undone then; see {@link UnpackOptions.onLeft}.
   * @defaultValue `false`
   */
  readonly overwrite?: boolean | undefined
  /**
   * What to do with whiteouts: `apply` removes what they hide; `overlayfs` does that too and keeps each as overlayfs
   * writes it (a character device 0:0, the xattr `trusted.overlay.opaque`), so that the directory can lie upon another.
   * @defaultValue `'apply'`
   */
  readonly whiteouts?: 'apply' | 'overlayfs' | undefined
  /**
   * What to do with devices and FIFOs: make them (fails if the system refuses), leave them out and report them, or
   * refuse the image.
   * @defaultValue devices are made as root, FIFOs by everybody; what the system refuses is reported
   */
  readonly devices?: 'create' | 'skip' | 'error' | undefined
  /** Is told from time to time how far the work is. It may begin anew, see {@link unpackLayers}. */
  readonly onProgress?: ((progress: UnpackProgress) => void) | undefined
  /**
   * Is told the paths that a failed call has left behind: with `overwrite` everything it wrote, else what could not be
   * removed again. Not called if nothing is left.
   */
  readonly onLeft?: ((paths: readonly string[]) => void) | undefined
  /** What computes the diffIds. @defaultValue `'wasm'` */
  readonly hasher?: HasherEngine | undefined
  /** Bytes that each layer may have when it is opened. @defaultValue no limit */
  readonly maxLayerBytes?: number | undefined
  /** What else a layer may hold: entries, lengths of names, holes. @defaultValue those of `readLayer` */
  readonly limits?: Omit<TarLimits, 'maxBytes'> | undefined
  /**
   * Where the system calls are made: in a thread of their own, or in the calling one, which they block.
   * @defaultValue `'thread'`
   */
  readonly writer?: 'thread' | 'inline' | undefined
}
