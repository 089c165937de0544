import type { Digest } from '../../digest/index.ts'
import type { AbortOptions } from '../../internal/abort.ts'
import type { UnionView } from '../../rootfs/index.ts'
import type { TarEntryType, TarInput } from '../../tar/index.ts'
import type { SourceTree } from '../context/source-tree.ts'

/** A source of a COPY or ADD: a path or pattern, and the tree that it is in. */
export interface FileCopySource {
  /** Tree that holds the files. */
  readonly tree: SourceTree
  /** As written, expanded: `src/*.js`, `.`, `/usr/bin/node`. For heredocs the name of the file in a memory tree. */
  readonly path: string
  /** Unpack the source if it is an archive. @defaultValue `unpack` of the step */
  readonly unpack?: boolean | undefined
}

/** A COPY or ADD of local files. */
export interface FileCopyStep {
  /** Sources, in order. */
  readonly sources: readonly FileCopySource[]
  /** Absolute path; with a trailing `/` it is a directory. */
  readonly destination: string
  /** `user[:group]`, names or numbers. */
  readonly chown?: string | undefined
  /** Octal or symbolic mode. */
  readonly chmod?: string | undefined
  /** Recreate the parent directories of sources (`--parents`). */
  readonly parents?: boolean | undefined
  /** Patterns of paths to exclude (`--exclude`). */
  readonly exclude?: readonly string[] | undefined
  /** Make a layer that does not depend on the layers below (`--link`). */
  readonly link?: boolean | undefined
  /** Unpack local archives (ADD). */
  readonly unpack?: boolean | undefined
}

/**
 * One path that a copy reads. The list of a step is sorted and contains everything that the copied files contribute to
 * the layer. The content key hashes it, and explanations compare it. Times and owners are not in it, except the owners
 * of trees that keep them.
 */
export interface FileCopyInput {
  /** Path below the destination, as it is known without the destination's tree; prefixed with the source's number. */
  readonly name: string
  /** Path in the source tree, for explanations. */
  readonly source: string
  /** Type of the file. */
  readonly type: TarEntryType
  /** Permission bits. */
  readonly mode: number
  /** Target of a link. */
  readonly linkname?: string | undefined
  /** Digest of the content of a file. */
  readonly digest?: Digest | undefined
  /** `uid:gid`, for trees that keep owners. */
  readonly owner?: string | undefined
  /** Device numbers and extended attributes, framed as text, where there are any. */
  readonly extra?: string | undefined
}

/** Options of {@link FileCopyPlan.entries}. */
export interface FileCopyEntriesOptions extends AbortOptions {
  /** Root filesystem below the layer; `undefined` for an empty one. */
  readonly below: UnionView | undefined
  /** Time of created directories and of heredoc files, in seconds since 1970. */
  readonly time: number
}

/** A COPY or ADD whose sources are found; nothing has been read yet. */
export interface FileCopyPlan {
  /**
   * Resolves to the paths that the copy reads, sorted by name. Reads only files whose digest is not known. Later calls
   * give the same list.
   */
  inputs(options?: AbortOptions): Promise<readonly FileCopyInput[]>

  /** Yields the same list in batches, for steps that read tens of thousands of files. */
  inputBatches(options?: AbortOptions): AsyncIterable<readonly FileCopyInput[]>

  /** Yields the entries of the layer, for `writeLayer`: each path once, directories first. */
  entries(options: FileCopyEntriesOptions): AsyncIterable<TarInput>
}
