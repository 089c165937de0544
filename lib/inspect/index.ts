export { type AnalyzeImageOptions, analyzeImage, diveReport } from './analyze/analyze-image.ts'
export type { AnalysedBase, ImageAnalysis, LayerFigures } from './analyze/image-analysis.ts'
export type { BigDirectory, BigFile, Biggest } from './contents/find-biggest.ts'
export type { FoundCache } from './contents/find-caches.ts'
export type { FoundSecret } from './contents/find-secrets.ts'
export type { SetIdFile } from './contents/find-set-id.ts'
export type { ChunkSizes, DedupedImage, DedupLevel, DedupReport, KeptBytes } from './dedup/dedup-report.ts'
export { type MeasureDedupOptions, measureDedup } from './dedup/measure-dedup.ts'
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
export { type AnalysisRules, checkRules, type RuledFigures, type RuleResult } from './efficiency/check-rules.ts'
export type { DiveFile, DiveFileReference, DiveImage, DiveLayer, DiveReport } from './efficiency/dive-report.ts'
export type { DiveEfficiency, RepeatedPath } from './efficiency/measure-efficiency.ts'
export { DIVE_DEFAULTS, parseDiveRules, parseRule } from './efficiency/parse-dive-rules.ts'
export { commandsOfLayers } from './history/join-history.ts'
export {
  type HistoryLayer,
  type HistoryStep,
  type ReadHistoryOptions,
  readHistory,
} from './history/read-history.ts'
export type { InspectedSource, InspectionOptions } from './read-source.ts'
export { type HtmlReportOptions, htmlReport, type ReportSource } from './report/html-report.ts'
export {
  createReportPages,
  type PageRequest,
  type ReportPage,
  type ReportPagesOptions,
} from './report/report-pages.ts'
export type { ReportedStore } from './report/reported-store.ts'
export { type AdviseSplitOptions, adviseSplit } from './split/advise-split.ts'
export type { ReleaseUpdate, SplitAdvice, SplitLayer, SplitPlace } from './split/split-advice.ts'
export type { ImageFault } from './validate/image-fault.ts'
export { type ImageValidation, validateImage } from './validate/validate-image.ts'
export type { CopiedContent, Copies } from './waste/find-copies.ts'
export type { HiddenFile } from './waste/find-hidden.ts'
export type { Rewrites, RewritingLayer, Waste, WastedPath } from './waste/sum-waste.ts'
