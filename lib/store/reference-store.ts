import type { Digest } from '../digest/index.ts'
import type { AbortOptions } from '../internal/abort.ts'
import type { Descriptor } from '../oci/index.ts'

/** A name and what it stands for. */
export interface NamedDescriptor {
  /** The name as it is kept: the short form of a reference, e.g. `app:1.0`, or whatever another tool wrote. */
  readonly name: string
  /** The manifest or index it names. */
  readonly descriptor: Descriptor
}

/** How to set a name. */
export interface SetReferenceOptions extends AbortOptions {
  /**
   * Set the name only if it stands for this digest now, or, with `null`, for nothing: so two who change a name at the same time
   * cannot overwrite each other unseen. Without it the last one wins.
   */
  readonly expected?: Digest | null | undefined
  /**
   * Keep the name as it stands, for layouts that other tools are to read: `1.0`, not `1.0:latest`. It must have the form of
   * an `org.opencontainers.image.ref.name`. @defaultValue `false`
   */
  readonly verbatim?: boolean | undefined
}

/**
 * Names for images. A name is a reference in its short form (`docker.io/library/node:22` is kept as `node:22`, `node` as
 * `node:latest`); every spelling of the same reference finds it. Names written by other tools are found as they stand.
 */
export interface ReferenceStore {
  /** What a name stands for, or `undefined`. */
  get(name: string, options?: AbortOptions): Promise<Descriptor | undefined>

  /**
   * Gives a name to an image, taking it from another that had it. Durable when resolved.
   *
   * @returns the name as it is kept.
   * @throws {@link FormatError} `ERR_INVALID_REFERENCE`.
   * @throws {@link StoreError} `ERR_REFERENCE_CONFLICT` if the name does not stand for what is `expected`.
   * @throws {@link BlobNotFoundError} `ERR_BLOB_NOT_FOUND` if anything below the descriptor is missing: a name never
   * stands for an incomplete image.
   */
  set(name: string, descriptor: Descriptor, options?: SetReferenceOptions): Promise<string>

  /** Takes a name away; blobs stay. Resolves to whether it was there. */
  delete(name: string, options?: AbortOptions): Promise<boolean>

  /**
   * Every name, in order (by UTF-16 code units), without what it stands for. The result is the same object (`===`) as long as
   * no name comes or goes, so a caller can keep what it worked out from all names and need not look at them again. A name that
   * moves to another image changes nothing. Absent in drivers that cannot tell.
   *
   * @throws {@link StoreError} `ERR_STORE_FORMAT`, `ERR_STORE_IO`, `ERR_STORE_CLOSED`.
   */
  names?(options?: AbortOptions): Promise<readonly string[]>

  /**
   * Every name, ordered by name. Names that cannot be read hide none of the others: they are passed over, and the
   * iteration rejects at its end.
   */
  list(options?: AbortOptions): AsyncIterable<NamedDescriptor>
}
