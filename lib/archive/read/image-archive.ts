import type { Store } from '../../store/index.ts'
import type { ArchivedImage } from './archived-image.ts'

/**
 * An archive as a read-only store with names and blobs. Writes reject with `ERR_STORE_READ_ONLY`; leases have no
 * effect. Reads of whole blobs are verified, except with `verify: 'never'`.
 */
export interface ImageArchive extends Store {
  /** Format of the archive. An archive that has both (docker 25 and later) is read as a layout. */
  readonly format: 'oci' | 'docker'
  /** Images of the archive, including those without a name, in the order of the archive. */
  readonly images: readonly ArchivedImage[]
  /** Images whose layers the archive leaves out (see `WriteArchiveOptions.have`); empty for a complete archive. */
  readonly requires: readonly string[]
  /**
   * Finds one image: by a name as the archive spells it, by a reference, or by `@n`, counted from 0. Without an
   * argument, returns the only image.
   *
   * @throws {@link ReferenceNotFoundError} `ERR_REFERENCE_NOT_FOUND`.
   * @throws {@link FormatError} `ERR_INVALID_LAYOUT` if several images match.
   */
  find(wanted?: string): ArchivedImage
}
