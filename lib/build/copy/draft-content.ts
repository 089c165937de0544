import type { SourceNode, SourceTree } from '../context/source-tree.ts'

/** Source of the content of a planned file. */
export type DraftContent = TreeContent | MemberContent

/** A file of a source tree. */
export interface TreeContent {
  readonly kind: 'tree'
  readonly tree: SourceTree
  readonly node: SourceNode
}

/** A member of an archive that is unpacked. */
export interface MemberContent {
  readonly kind: 'member'
  readonly archive: LocalArchive
  /** Number of the member in the archive, from 0. */
  readonly ordinal: number
}

/** A file of a source tree that is an archive. */
export interface LocalArchive {
  readonly tree: SourceTree
  readonly node: SourceNode
}
