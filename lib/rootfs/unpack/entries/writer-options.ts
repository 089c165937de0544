import type { TarLimits } from '../../../tar/index.ts'

/** What the writer of a tree has to know. Plain data: it goes to another thread. */
export interface WriterOptions {
  /** Whether owners are left aside. */
  readonly rootless: boolean
  /** Whether set-id bits are applied. */
  readonly keepSetId: boolean
  /** See `UnpackOptions.whiteouts`. */
  readonly whiteouts: 'apply' | 'overlayfs'
  /** See `UnpackOptions.devices`; `auto` is its default. */
  readonly devices: 'create' | 'skip' | 'error' | 'auto'
  /** Whether the target may hold something already. */
  readonly overwrite: boolean
  /** How directories are held: by handle through /proc (Linux), or by path. */
  readonly handles: 'proc' | 'paths'
  /** Whether the target takes names that differ in case or composition for one name. */
  readonly foldsNames: boolean
  /** Whether names have to be ones that Windows can keep. */
  readonly windowsNames: boolean
  /** What a layer may hold. */
  readonly limits?: TarLimits | undefined
}
