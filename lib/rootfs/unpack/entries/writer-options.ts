import type { TarLimits } from '../../../tar/index.ts'
import type { XattrProgram } from '../../xattrs/xattr-program.ts'

/** Options of the tree writer. Plain data, because they are sent to another thread. */
export interface WriterOptions {
  /** True if owners are not applied. */
  readonly rootless: boolean
  /** True if set-id bits are applied. */
  readonly keepSetId: boolean
  /** See `UnpackOptions.whiteouts`. */
  readonly whiteouts: 'apply' | 'overlayfs'
  /** See `UnpackOptions.devices`; `auto` is its default. */
  readonly devices: 'create' | 'skip' | 'error' | 'auto'
  /** True if the target may be non-empty. */
  readonly overwrite: boolean
  /** Access to directories: by handle through /proc (Linux), or by path. */
  readonly handles: 'proc' | 'paths'
  /** True if the file system of the target treats names that differ in case or Unicode form as equal. */
  readonly foldsNames: boolean
  /** True if names must be valid on Windows. */
  readonly windowsNames: boolean
  /** File of the package that writes extended attributes, if it is installed. */
  readonly xattrPackage?: string | undefined
  /** Program that does so without the package. */
  readonly xattrProgram?: XattrProgram | undefined
  /** Limits on the entries of a layer. */
  readonly limits?: TarLimits | undefined
}
