import type { SourceNode, SourceTree } from '../context/source-tree.ts'

/** A file or directory that a source of a COPY names, by itself or by a pattern. */
export interface SourceMatch {
  readonly tree: SourceTree
  /** Number of the source, from 0. */
  readonly source: number
  /** Number of the match of that source, from 0. */
  readonly match: number
  /** Name of a copied file at the destination: that of the link, if the path is one. */
  readonly name: string
  /** Node of the path, with links followed. */
  readonly node: SourceNode
  /** Content of a directory that is copied, directories before their content. */
  readonly content: readonly SelectedNode[]
  /** Unpack the file if it is an archive. */
  readonly unpack: boolean
}

/** A path inside a copied directory. */
export interface SelectedNode {
  /** Path below the directory, which is the path below the destination. */
  readonly path: string
  readonly node: SourceNode
}
