import type { HasherEngine } from '../../digest/index.ts'
import type { AbortOptions } from '../../internal/abort.ts'
import type { TarLimits } from '../../tar/index.ts'
import type { UnpackProgress } from './unpack-report.ts'

/** Options for unpacking a root filesystem. */
export interface UnpackOptions extends AbortOptions {
  /**
   * Do not apply owners and set-id bits, which only root may set. The report lists what was not applied.
   * @defaultValue `true` unless this process runs as root
   */
  readonly rootless?: boolean | undefined
  /** Keep set-user-id and set-group-id bits even if owners are not applied. @defaultValue `false` with `rootless` */
  readonly keepSetId?: boolean | undefined
  /**
   * Write into a directory that is not empty. Existing paths stay unless an entry replaces them or a whiteout removes
   * them. A failure cannot be undone then; see {@link UnpackOptions.onLeft}.
   * @defaultValue `false`
   */
  readonly overwrite?: boolean | undefined
  /**
   * Handling of whiteouts. `apply` removes the hidden paths. `overlayfs` does so too, and also writes each whiteout as
   * overlayfs does (a character device 0:0, the xattr `trusted.overlay.opaque`), so that the directory can be an upper
   * directory.
   * @defaultValue `'apply'`
   */
  readonly whiteouts?: 'apply' | 'overlayfs' | undefined
  /**
   * Handling of devices and FIFOs: `create` them and fail if the system refuses, `skip` and report them, or reject the
   * image with an `error`.
   * @defaultValue root creates devices, every user creates FIFOs; if the system refuses one, it is reported
   */
  readonly devices?: 'create' | 'skip' | 'error' | undefined
  /** Called repeatedly with the progress, which may start again from zero; see {@link unpackLayers}. */
  readonly onProgress?: ((progress: UnpackProgress) => void) | undefined
  /**
   * Called with the paths that a failed call left behind: with `overwrite` every path it wrote, else the paths that
   * could not be removed. Not called if nothing is left.
   */
  readonly onLeft?: ((paths: readonly string[]) => void) | undefined
  /** Engine that computes the diffIDs. @defaultValue `'wasm'` */
  readonly hasher?: HasherEngine | undefined
  /** Maximum uncompressed size of each layer in bytes. @defaultValue no limit */
  readonly maxLayerBytes?: number | undefined
  /** Other limits on a layer: entries, lengths of names, holes. @defaultValue those of `readLayer` */
  readonly limits?: Omit<TarLimits, 'maxBytes'> | undefined
  /**
   * Thread of the system calls: a worker, or the calling thread, which they block.
   * @defaultValue `'thread'`
   */
  readonly writer?: 'thread' | 'inline' | undefined
}
