import type { ImageLayer } from '../../image/index.ts'
import type { AbortOptions } from '../../internal/abort.ts'
import type { Store } from '../../store/index.ts'
import type { TarInput } from '../../tar/index.ts'
import type { StackFiles } from '../files/stack-files.ts'

/** A root filesystem in a directory that may be written to. */
export interface Stack extends AsyncDisposable {
  /** The directory. */
  readonly path: string

  /**
   * An empty directory beside it, for files of its process such as secrets. It is removed with the stack, by another
   * process if this one is killed.
   */
  readonly scratch: string

  /** Changes files in both with the ids of the root filesystem. @defaultValue the calls of this process */
  readonly files?: StackFiles | undefined

  /** Yields the changes since the stack was opened, as entries of a layer. */
  changes(options?: AbortOptions): AsyncIterable<TarInput>

  /** Removes the directory. Idempotent. */
  close(): Promise<void>
}

/** Opens stacks of layers as directories. */
export interface SnapshotDriver {
  /** Opens the root filesystem of layers, lowest first. */
  openStack(store: Store, layers: readonly ImageLayer[], options?: AbortOptions): Promise<Stack>
}
