import type { Digest } from '../../digest/index.ts'
import type { AbortOptions } from '../../internal/abort.ts'
import type { SparseRegion, TarHeader, TarInput } from '../../tar/index.ts'

/** One path of a tree. */
export interface TreeEntry extends TarHeader {
  /** Digest of the content of a file, if it is known. */
  readonly digest?: Digest | undefined
  /** Digest of what is stored of a sparse file, where that of its content is not known. */
  readonly storedDigest?: Digest | undefined
  /** Where that is in the file. */
  readonly sparse?: readonly SparseRegion[] | undefined
  /** Opens the content of a file, where the digest is not known. */
  readonly content?: NonNullable<TarInput['content']>
}

/** Files to be compared: a view of an image is one, {@link directoryTree} makes one of a directory. */
export interface Tree<E extends TreeEntry = TreeEntry> {
  /**
   * Every path but the root, in the order of {@link UnionView.walk}: a directory before what is in it, the first name
   * of a file as the file, others as hard links to it.
   */
  walk(): Iterable<E> | AsyncIterable<E>

  /**
   * Entries of `walk` with their content, in whatever order is cheapest; parents first, hard links after their file.
   */
  withContent(entries: Iterable<E>, options?: AbortOptions): AsyncIterable<TarInput>

  /** Reads a file whose entry tells neither its digest nor its content. */
  read?(path: string): AsyncIterable<Uint8Array>

  /** Whether entries tell all extended attributes. @defaultValue `true` */
  readonly tellsXattrs?: boolean | undefined
}
