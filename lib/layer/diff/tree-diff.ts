import type { TarEntryType } from '../../tar/index.ts'

/** Fields that can differ between two entries of one path. `links`: the set of names of the file. */
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

/** A path of the upper or the lower tree. */
export interface DiffPath {
  /** The path. */
  readonly path: string
  /** Its type: in the lower tree for a deleted path, else in the upper tree. */
  readonly type: TarEntryType
}

/** A path of both trees whose entries differ. */
export interface ChangedPath extends DiffPath {
  /** Fields that differ. */
  readonly fields: readonly ChangedField[]
}

/** Difference between two trees. Plain data; paths are in walk order. */
export interface TreeDiff {
  /** Paths that only the upper tree has. */
  readonly added: readonly DiffPath[]
  /** Paths with another content, type or hard link target; metadata may differ too. */
  readonly modified: readonly ChangedPath[]
  /** Paths with the same content and other metadata. */
  readonly metadataOnly: readonly ChangedPath[]
  /** Paths that only the lower tree has. The content of a deleted directory is not listed. */
  readonly deleted: readonly DiffPath[]
}
