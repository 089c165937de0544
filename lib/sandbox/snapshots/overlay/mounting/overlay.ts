/** Directories of an overlay. Paths of layers are relative to `directory`, lowest last, as the kernel wants them. */
export interface Overlay {
  readonly directory: string
  readonly lower: readonly string[]
  readonly upper: string
  readonly work: string
  readonly target: string
  /** True if a flush of the filesystem at the end is wanted. @defaultValue false */
  readonly durable?: boolean | undefined
  /** True if fuse-overlayfs mounts it, not the kernel. @defaultValue false */
  readonly fuse?: boolean | undefined
}
