import type { Descriptor } from '../../oci/index.ts'

/** An image in an archive. */
export interface ArchivedImage {
  /** Names for a store, as it keeps them: `app:1.0`. Empty for an image without a name. */
  readonly names: readonly string[]
  /** Names as they stand in the archive: a tag, a whole reference, or any word. */
  readonly labels: readonly string[]
  /** Its manifest, or an index whose parts are all there. */
  readonly descriptor: Descriptor
  /** Platforms that the archive lists but does not hold, or that were not asked for. */
  readonly platformsLeftOut: readonly string[]
}
