export type { BuildContext } from './context/build-context.ts'
export { contextDigest } from './context/context-digest.ts'
export { contextTar } from './context/context-tar.ts'
export { type ContextDecision, listContext } from './context/list-context.ts'
export { createMemoryTree, type MemoryTreeOptions } from './context/memory-tree.ts'
export { type ContextSource, type OpenContextOptions, openContext } from './context/open-context.ts'
export type { OpenedFile, SourceNode, SourceTree } from './context/source-tree.ts'
export { createViewTree, type ViewTreeOptions } from './context/view-tree.ts'
export type {
  FileCopyEntriesOptions,
  FileCopyInput,
  FileCopyPlan,
  FileCopySource,
  FileCopyStep,
} from './copy/file-copy.ts'
export { planFileCopy } from './copy/plan-file-copy.ts'
