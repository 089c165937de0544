export { type FromDirectoryOptions, fromDirectory } from './from-directory.ts'
export { diffIdOf, type ReadLayerOptions, readLayer } from './read-layer.ts'
export { type WriteLayerOptions, type WriteLayerProgress, type WrittenLayer, writeLayer } from './write-layer.ts'
