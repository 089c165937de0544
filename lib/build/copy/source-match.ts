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
  /**
   * Content of a directory that is copied, directories before their content; `pathBelow` tells where it goes.
   *
   * PERF: there are tens of thousands, so a node has no object with its path below the directory.
   */
  readonly content: readonly SourceNode[]
  /** Unpack the file if it is an archive. */
  readonly unpack: boolean
}

/** Path of a node below the directory that is copied, which is the path below the destination. */
export function pathBelow(directory: SourceNode, node: SourceNode): string {
  return directory.path === '.' ? node.path : node.path.slice(directory.path.length + 1)
}
