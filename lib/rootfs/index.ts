export { exportImage } from './export-image.ts'
export { flattenImage } from './flatten-image.ts'
export { type EntryChange, type OmitUnchangedOptions, omitUnchanged } from './omit-unchanged.ts'
export { type SquashImageOptions, squashImage } from './squash-image.ts'
export { type SquashedLayers, type SquashLayersOptions, squashLayers } from './squash-layers.ts'
export type {
  ContentOptions,
  LookupOptions,
  Provenance,
  ReadFileOptions,
  UnionView,
  ViewEntry,
  ViewLayer,
  ViewWarning,
} from './union-view.ts'
export { type ArchiveSource, unpackArchives } from './unpack/unpack-archives.ts'
export { type UnpackImageOptions, unpackImage, unpackLayers } from './unpack/unpack-image.ts'
export type { UnpackOptions } from './unpack/unpack-options.ts'
export type { SkippedDetail, UnpackCounts, UnpackProgress, UnpackReport } from './unpack/unpack-report.ts'
export { type OpenUnionViewOptions, openUnionView, type ViewSource, type ViewStore } from './view/open-union-view.ts'
export { UnionViews } from './view/union-views.ts'
export { type ReadXattrsOptions, readXattrsOf, type XattrsByPath } from './xattrs/read-xattrs-of.ts'
export type { XattrProgram } from './xattrs/xattr-program.ts'
