import type { Digest } from '../digest/index.ts'
import type { AbortOptions } from '../internal/abort.ts'
import type { Descriptor } from '../oci/index.ts'

/** A name and the descriptor that it refers to. */
export interface NamedDescriptor {
  /** The stored name: the short form of a reference, e.g. `app:1.0`, or any name that another tool wrote. */
  readonly name: string
  /** The manifest or index that it refers to. */
  readonly descriptor: Descriptor
}

/** Options of {@link ReferenceStore.set}. */
export interface SetReferenceOptions extends AbortOptions {
  /**
   * Compare-and-swap: set the name only if it refers to this digest now, or, with `null`, only if it does not exist.
   * Without it the last of two concurrent changes wins.
   */
  readonly expected?: Digest | null | undefined
  /**
   * Store the name as given, for layouts that other tools read: `1.0`, not `1.0:latest`. It must have the form of an
   * `org.opencontainers.image.ref.name`. @defaultValue `false`
   */
  readonly verbatim?: boolean | undefined
  /**
   * Also name an image whose config no reader of images accepts. Registries and copies carry what they are given; a
   * caller that composed the config is told of its fault. @defaultValue `false`
   */
  readonly anyConfig?: boolean | undefined
}

/**
 * Names of images. A name is a reference in its short form (`docker.io/library/node:22` is stored as `node:22`, `node`
 * as `node:latest`); every spelling of the same reference finds it. Names that other tools wrote are found as written.
 */
export interface ReferenceStore {
  /** Resolves to the descriptor that a name refers to, or to `undefined`. */
  get(name: string, options?: AbortOptions): Promise<Descriptor | undefined>

  /**
   * Sets a name to an image; a name that refers to another image is moved. Durable when resolved.
   *
   * @returns the stored name.
   * @throws {@link FormatError} `ERR_INVALID_REFERENCE`; `ERR_INVALID_DESCRIPTOR` if the second argument is no
   * descriptor; `ERR_INVALID_CONFIG` if the config of an image is not valid; `ERR_INVALID_ARGUMENT`.
   * @throws {@link StoreError} `ERR_REFERENCE_CONFLICT` if the name does not refer to the `expected` digest. In a
   * bucket this change may have been made before: if its answer was lost and another process then set the name without
   * `expected`, or removed it. The message says so.
   * @throws {@link BlobNotFoundError} `ERR_BLOB_NOT_FOUND` if anything below the descriptor is missing: a name never
   * refers to an incomplete image.
   */
  set(name: string, descriptor: Descriptor, options?: SetReferenceOptions): Promise<string>

  /** Removes a name; blobs stay. Resolves to whether the name existed. */
  delete(name: string, options?: AbortOptions): Promise<boolean>

  /**
   * Resolves to every name, in order (by UTF-16 code units), without descriptors. The result is the same object (`===`)
   * while no name is added or removed, so a caller can cache what it computed from all names. Moving a name to another
   * image does not change it. Absent in drivers that cannot tell.
   *
   * @throws {@link StoreError} `ERR_STORE_FORMAT`, `ERR_STORE_IO`, `ERR_STORE_CLOSED`.
   */
  names?(options?: AbortOptions): Promise<readonly string[]>

  /** Lists every name, ordered by name. Unreadable names are skipped, and the iteration rejects at its end. */
  list(options?: AbortOptions): AsyncIterable<NamedDescriptor>
}
