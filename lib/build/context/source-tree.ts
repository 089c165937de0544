import type { Digest } from '../../digest/index.ts'
import type { AbortOptions } from '../../internal/abort.ts'
import type { TarHeader, TarInput } from '../../tar/index.ts'

/** One path of a source tree. The type is never `hardlink`: all names of a file are equal. */
export interface SourceNode extends TarHeader {
  /** Real path in the tree, without a leading slash; the root is `.`. */
  readonly path: string
  /** Equal for all names of one file, in one tree; absent for a file that has one name. */
  readonly inode?: string | undefined
  /** Digest of the content of a file, where the tree knows it without reading the file. */
  readonly digest?: Digest | undefined
}

/** A file of a tree with its content; read the content before you ask for the next batch of files. */
export interface OpenedFile {
  /** Metadata of the file. */
  readonly node: SourceNode
  /** Content of the file. */
  readonly content: NonNullable<TarInput['content']>
}

/** A file of a tree that is read when, and as often as, its content is asked for. */
export interface LazyFile {
  /** Reads the file. Bytes are valid until another file of the tree is read. */
  readonly content: () => Uint8Array | AsyncIterable<Uint8Array>
  /** Absent if it is not known, or if the content could change without another identity of the file. */
  readonly digest: Digest | undefined
}

/**
 * Files that steps copy from: a build context, a stage, an image, files in memory. Paths are real paths: no link is
 * followed in them, so a path that leads through a link does not exist.
 */
export interface SourceTree {
  /** Text for messages, e.g. `the build context`. */
  readonly name: string
  /** True if owners are kept when files are copied (stages and images), false if they become 0:0 (contexts). */
  readonly keepsOwners: boolean

  /** Returns the node of a path, or `undefined`. The root is `.`; it always exists. */
  stat(path: string): SourceNode | undefined

  /** Returns the nodes of a directory, in the byte order of their names; nothing for a path that is no directory. */
  list(path: string): readonly SourceNode[]

  /** Returns why a path that exists is not in the tree, for messages; `undefined` if it does not exist. */
  whyMissing?(path: string): string | undefined

  /**
   * Resolves to the digests of files, in the given order. Files whose digest is known are not read.
   *
   * @throws {@link SourceError} `ERR_SOURCE_CHANGED` for a file that changes while it is read, `ERR_SOURCE_READ`.
   */
  digests(files: readonly SourceNode[], options?: AbortOptions): Promise<readonly Digest[]>

  /**
   * Returns the content of one file without reading it, if the tree can open each file by itself, and the digest that
   * `digests` has computed. The content fails if the file is not the same any more. Absent in trees whose files are
   * cheaper to read together.
   */
  lazy?(file: SourceNode): LazyFile

  /**
   * Yields files with their content in batches, each of the given files once, in the order that is cheapest for the
   * tree.
   *
   * @throws {@link SourceError} as `digests`.
   */
  open(files: readonly SourceNode[], options?: AbortOptions): AsyncIterable<readonly OpenedFile[]>
}
