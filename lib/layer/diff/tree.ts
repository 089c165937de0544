import type { Digest } from '../../digest/index.ts'
import type { AbortOptions } from '../../internal/abort.ts'
import type { SparseRegion, TarHeader, TarInput } from '../../tar/index.ts'

/** One path of a tree. */
export interface TreeEntry extends TarHeader {
  /** Digest of the content of a file, if known. */
  readonly digest?: Digest | undefined
  /** Digest of the stored bytes of a sparse file, if the digest of its content is unknown. */
  readonly storedDigest?: Digest | undefined
  /** Regions of the file that are stored. */
  readonly sparse?: readonly SparseRegion[] | undefined
  /** Opens the content of a file whose digest is unknown. */
  readonly content?: NonNullable<TarInput['content']>
}

/** Files to compare: a view of an image, or a directory by {@link directoryTree}. */
export interface Tree<E extends TreeEntry = TreeEntry> {
  /**
   * Yields every path except the root, in the order of {@link UnionView.walk}: a directory before its content, the
   * first name of a file as the file, its other names as hard links.
   */
  walk(): Iterable<E> | AsyncIterable<E>

  /**
   * Yields entries of `walk` with their content, in the cheapest order; parents come first, hard links after their
   * file.
   */
  withContent(entries: Iterable<E>, options?: AbortOptions): AsyncIterable<TarInput>

  /** Reads a file whose entry has neither a digest nor content. */
  read?(path: string): AsyncIterable<Uint8Array>

  /** True if entries include all extended attributes. @defaultValue `true` */
  readonly tellsXattrs?: boolean | undefined
}
