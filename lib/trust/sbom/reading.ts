import type { OpenUnionViewOptions, UnionView, ViewLayer, ViewStore } from '../../rootfs/index.ts'
import type { UnreadPackages } from './package-list.ts'

/** A layer, and the paths of its files, hard links and whiteouts included. */
export interface LayerPaths {
  readonly layer: ViewLayer
  readonly files: ReadonlySet<string>
}

/** The image of which packages are read. */
export interface Reading {
  readonly store: ViewStore
  readonly view: UnionView
  readonly layers: readonly LayerPaths[]
  readonly options: Pick<OpenUnionViewOptions, 'signal' | 'hasher' | 'limits'>
  /** Gets the files that are not read. */
  readonly unread: UnreadPackages[]
}
