import type { TarEntryType } from '../../tar/index.ts'

/** What can differ between two entries of one path. `links`: which names are one file. */
export type ChangedField =
  | 'type'
  | 'content'
  | 'linkname'
  | 'device'
  | 'links'
  | 'mode'
  | 'uid'
  | 'gid'
  | 'mtime'
  | 'xattrs'

/** A path that is there, or was. */
export interface DiffPath {
  /** The path. */
  readonly path: string
  /** Its kind, for what was added in the upper tree, for what was deleted in the lower one. */
  readonly type: TarEntryType
}

/** A path that is in both trees, and not the same. */
export interface ChangedPath extends DiffPath {
  /** What is different. */
  readonly fields: readonly ChangedField[]
}

/** How a tree differs from another. Plain data; paths are in the order of a walk. */
export interface TreeDiff {
  /** Paths of the upper tree only. */
  readonly added: readonly DiffPath[]
  /** Paths with other content, of another kind, or linked in another way; perhaps with other metadata as well. */
  readonly modified: readonly ChangedPath[]
  /** Paths with the same content and other metadata. */
  readonly metadataOnly: readonly ChangedPath[]
  /** Paths of the lower tree only. What was in a deleted directory is not listed. */
  readonly deleted: readonly DiffPath[]
}
