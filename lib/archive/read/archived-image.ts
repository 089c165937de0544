import type { Digest } from '../../digest/index.ts'
import type { Descriptor } from '../../oci/index.ts'

/** An image in an archive. */
export interface ArchivedImage {
  /** Names for a store, in the form in which a store keeps them: `app:1.0`. Empty for an image without a name. */
  readonly names: readonly string[]
  /** Names as the archive spells them: a tag, a full reference, or any word. */
  readonly labels: readonly string[]
  /** Its manifest, or an index that is complete in the archive. */
  readonly descriptor: Descriptor
  /** Digest of the index that the archive lists, if only a part of it is taken. */
  readonly index?: Digest
  /** Platforms that the archive lists but does not hold, or that were not requested. */
  readonly platformsLeftOut: readonly string[]
}
