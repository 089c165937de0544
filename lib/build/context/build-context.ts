import type { AbortOptions } from '../../internal/abort.ts'
import type { IgnoreLine } from '../../layer/index.ts'
import type { SourceTree } from './source-tree.ts'

/** The files that a build may copy, after the ignore file. */
export interface BuildContext extends AsyncDisposable {
  /** The files that steps may copy. */
  readonly tree: SourceTree
  /** All files, as if there were no ignore file. */
  readonly wholeTree: SourceTree
  /** Path of the ignore file inside the context, if one applies. */
  readonly ignoreFile?: string | undefined
  /** Patterns of the ignore file, with their lines. */
  readonly ignoreLines: readonly IgnoreLine[]

  /**
   * Resolves to the bytes of a file that the build itself needs, such as the Dockerfile; the ignore file does not hide
   * it, and links are followed inside the context. `undefined` if it does not exist.
   *
   * @throws {@link LimitError} `ERR_LIMIT_EXCEEDED` for a file over 4 MiB.
   */
  readControlFile(path: string, options?: AbortOptions): Promise<Uint8Array | undefined>

  /** Stores the computed digests for the next build, and releases open files. Idempotent. */
  close(): Promise<void>
}
