/** Directories of an overlay. Paths of layers are relative to `directory`, lowest last, as the kernel wants them. */
export interface Overlay {
  readonly directory: string
  readonly lower: readonly string[]
  /** Directory of what is written, with the one that overlayfs works in; without both the overlay is read-only. */
  readonly upper?: string | undefined
  readonly work?: string | undefined
  readonly target: string
  /** True if a flush of the filesystem at the end is wanted. @defaultValue false */
  readonly durable?: boolean | undefined
  /** True if fuse-overlayfs mounts it, not the kernel. @defaultValue false */
  readonly fuse?: boolean | undefined
}
