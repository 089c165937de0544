import type { Store } from '../../store/index.ts'
import type { ArchivedImage } from './archived-image.ts'

/**
 * An archive as a store that is only read: its names, its blobs. Writes reject with `ERR_STORE_READ_ONLY`, leases protect
 * nothing. Whole reads are verified unless they say `verify: 'never'`.
 */
export interface ImageArchive extends Store {
  /** Which kind of archive it is. One that is both, as new versions of docker write them, is read as a layout. */
  readonly format: 'oci' | 'docker'
  /** Its images, also those without a name, in the order of the archive. */
  readonly images: readonly ArchivedImage[]
  /**
   * One of its images: by a name as it stands in the archive, by a reference, or by `@n`, counted from 0; without any,
   * the only one.
   *
   * @throws {@link ReferenceNotFoundError} `ERR_REFERENCE_NOT_FOUND`.
   * @throws {@link FormatError} `ERR_INVALID_LAYOUT` if several could be meant.
   */
  find(wanted?: string): ArchivedImage
}
