import type { ImageLayer } from '../../image/index.ts'
import type { AbortOptions } from '../../internal/abort.ts'
import type { UnionView } from '../../rootfs/index.ts'
import type { Store } from '../../store/index.ts'
import type { TarInput } from '../../tar/index.ts'
import type { StackFiles } from '../files/stack-files.ts'

/** Directory for what is written to a stack, instead of one that disappears with it. */
export interface StackPlace {
  /**
   * Directory of the caller, on a filesystem as the driver needs it. A later stack with the same directory and the same
   * layers has what was written before, also after the machine was started anew.
   */
  readonly directory: string
  /** True if what was written survives a power cut as on any filesystem; false makes writing and closing faster. */
  readonly durable: boolean
  /**
   * True if another process has a stack open there: its root filesystem is used, and `close` leaves it alone.
   * @defaultValue false
   */
  readonly attach?: boolean | undefined
}

/** Options of {@link SnapshotDriver.openStack}. */
export interface OpenStackOptions extends AbortOptions {
  /** Keeps what is written. @defaultValue what is written disappears when the stack is closed */
  readonly place?: StackPlace | undefined
  /** A view of the same layers, if the caller has one. @defaultValue the driver opens one if it needs it */
  readonly view?: UnionView | undefined
}

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

  /**
   * Ends the stack, and keeps the changes as the unpacked form of a layer that was made of all that `changes` yielded:
   * a later stack with that layer on top need not unpack it. Does nothing if the driver cannot; `close` is to be called
   * all the same.
   *
   * @param layer - The layer.
   * @param latestTime - Latest time that a file has in the layer, in seconds since 1970. @defaultValue no limit
   */
  keepAs?(layer: ImageLayer, latestTime?: number): Promise<void>

  /** Removes the directory; with a {@link StackPlace} what was written stays there. Idempotent. */
  close(): Promise<void>
}

/** Opens stacks of layers as directories. */
export interface SnapshotDriver {
  /** Opens the root filesystem of layers, lowest first. */
  openStack(store: Store, layers: readonly ImageLayer[], options?: OpenStackOptions): Promise<Stack>

  /**
   * Removes what stacks have left in the directory of a {@link StackPlace}, and the directory; a stack of a killed
   * process is closed first. Idempotent. A driver without it ignores `place`.
   */
  removePlace?(directory: string): Promise<void>
}
