export { type DiffImagesOptions, diffImages, type LocatedImage } from './diff/diff-images.ts'
export type {
  ChangedFile,
  ConfigDifference,
  DiffedFile,
  DiffedLayer,
  FilesDiff,
  ImageDiff,
  LayersDiff,
  MovedFile,
} from './diff/image-diff.ts'
export { commandsOfLayers } from './history/join-history.ts'
export {
  type HistoryLayer,
  type HistoryStep,
  type ReadHistoryOptions,
  readHistory,
} from './history/read-history.ts'
export type { InspectedSource, InspectionOptions } from './read-source.ts'
export type { ImageFault } from './validate/image-fault.ts'
export { type ImageValidation, validateImage } from './validate/validate-image.ts'
