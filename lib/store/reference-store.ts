import type { AbortOptions } from '../internal/abort.ts'
import type { Descriptor } from '../spec/index.ts'

/** A name and what it stands for. */
export interface NamedDescriptor {
  /** The name as it is kept: the short form of a reference, e.g. `app:1.0`, or whatever another tool wrote. */
  readonly name: string
  /** The manifest or index it names. */
  readonly descriptor: Descriptor
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
   * @throws {@link BlobNotFoundError} `ERR_BLOB_NOT_FOUND` if anything below the descriptor is missing: a name never
   * stands for an incomplete image.
   */
  set(name: string, descriptor: Descriptor, options?: AbortOptions): Promise<string>

  /** Takes a name away; blobs stay. Resolves to whether it was there. */
  delete(name: string, options?: AbortOptions): Promise<boolean>

  /** Every name, ordered by name. */
  list(options?: AbortOptions): AsyncIterable<NamedDescriptor>
}
