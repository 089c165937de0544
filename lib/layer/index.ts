export { compareHeaders, isMetadataOnly } from './diff/compare-headers.ts'
export { type DiffTreesOptions, diffTrees } from './diff/diff-trees.ts'
export { type DirectoryTreeOptions, directoryTree } from './diff/directory-tree.ts'
export type { Tree, TreeEntry } from './diff/tree.ts'
export type { ChangedField, ChangedPath, DiffPath, TreeDiff } from './diff/tree-diff.ts'
export { type DiffEntriesOptions, diffEntries, writeDiffLayer } from './diff/write-diff-layer.ts'
export { type FromDirectoryOptions, fromDirectory, type XattrReader, type XattrsRead } from './from-directory.ts'
export { type Files, type FromFilesOptions, fromFiles } from './from-files.ts'
export {
  createIgnoreRules,
  type IgnoreLine,
  type IgnoreRules,
  parseIgnoreFile,
  parseIgnoreLines,
} from './ignore/ignore-rules.ts'
export { keepIndex } from './indexing/keep-index.ts'
export type { IndexedEntry, LayerIndex } from './layer-index.ts'
export { applyPolicies, setPolicies } from './policy/apply-policies.ts'
export { compareArchiveOrder } from './policy/archive-order.ts'
export type { EntryPolicies, KindModes, LatestTime, OwnerPolicy } from './policy/entry-policies.ts'
export { type LayerFindings, type ProveLayerOptions, proveLayer } from './prove-layer.ts'
export { type LayerRange, readFileRange } from './read-file-range.ts'
export { diffIdOf, type ReadLayerOptions, readLayer, readLayerTar } from './read-layer.ts'
export { type IndexingStore, type ReadLayerIndexOptions, readLayerIndex } from './read-layer-index.ts'
export { layerFault } from './reading/layer-fault.ts'
export type { LayerLimits } from './reading/layer-limits.ts'
export type { LayerStore } from './reading/layer-proof.ts'
export { refusedXattr } from './refused-xattr.ts'
export type { KnownEntry } from './reuse/known-entry.ts'
export { type RewriteEntriesOptions, rewriteEntries } from './rewrite-entries.ts'
export { type ListedName, listNames } from './source/list-names.ts'
export { openFailure, replacedFailure, SOURCE_READ_FLAGS, sizeFailure } from './source/open-file.ts'
export { isPortableXattr } from './source/portable-xattr.ts'
export { SourceReadFailure, sourceError } from './source/source-fault.ts'
export { loadXattrLister, type XattrLister } from './source/xattrs.ts'
export { type WatchedLayer, watchLayer } from './watch-layer.ts'
export { isPseudoLink, opaquePath, parseWhiteout, type Whiteout, whiteoutPath } from './whiteout.ts'
export {
  compressorOf,
  type WriteLayerOptions,
  type WriteLayerProgress,
  type WrittenLayer,
  writeLayer,
} from './write-layer.ts'
