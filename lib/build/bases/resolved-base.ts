import type { Digest } from '../../digest/index.ts'
import type { Image } from '../../image/index.ts'

/** An image that a stage starts from: its documents are known, its layers may be in a registry. */
export interface ResolvedBase extends Image {
  /** Reference as the stage names it. */
  readonly reference: string
  /** True for an image of a layout on this disk: the reference says nothing on other machines. */
  readonly isLocal?: boolean | undefined
  /** Digest of the index of a registry or layout that lists the image. */
  readonly index?: Digest | undefined
}
