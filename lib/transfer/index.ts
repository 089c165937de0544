export { type AttachArtifactOptions, type AttachedArtifact, attachArtifact } from './attach-artifact.ts'
export type {
  CopySource,
  CopyTarget,
  CopyTargetOptions,
  RegistryLocation,
  StoreLocation,
} from './endpoints/locations.ts'
export { registrySourceEndpoint } from './endpoints/registry/registry-source-endpoint.ts'
export { registryTargetEndpoint } from './endpoints/registry/registry-target-endpoint.ts'
export type { RegistryTargetOptions } from './endpoints/registry/registry-target-options.ts'
export type { PushTurn, PushTurns } from './endpoints/store/push-turns.ts'
export { type ReadableStore, storeSourceEndpoint } from './endpoints/store/store-source-endpoint.ts'
export { type StoreTargetOptions, storeTargetEndpoint } from './endpoints/store/store-target-endpoint.ts'
export type { TransferNode } from './endpoints/transfer-graph.ts'
export type { ReadSourceOptions, TransferSource } from './endpoints/transfer-source.ts'
export type {
  BlobFeed,
  BlobOutcome,
  DocumentContext,
  FinishContext,
  KnownIndex,
  NeedsContext,
  StepNeed,
  TransferTarget,
  UnverifiedLayer,
} from './endpoints/transfer-target.ts'
export { parsePlan } from './parse-plan.ts'
export type {
  AnyPlan,
  CopyPlan,
  Need,
  PlanOfSteps,
  PlanStep,
  PullPlan,
  PushPlan,
  StepKind,
  TransferPlan,
} from './plan.ts'
export { type PlanCopyOptions, planCopy } from './plan-copy.ts'
export { type PlanPullOptions, planPull } from './plan-pull.ts'
export { type ImageToPush, type PlanPushOptions, planPush } from './plan-push.ts'
export type { PlatformChoice } from './planning/choose-root.ts'
export { type PullDocumentsOptions, pullDocuments } from './pull-documents.ts'
export { type PullImageOptions, pullImage } from './pull-image.ts'
export { type PushImageOptions, pushImage } from './push-image.ts'
export { repairFromKnownRegistries, repairFromRegistry } from './repair-sources.ts'
export { copyImage, type RunCopyOptions, runCopy } from './run-copy.ts'
export { type PullResult, type RunPullOptions, runPull } from './run-pull.ts'
export { type PushResult, type RunPushOptions, runPush } from './run-push.ts'
export { type ImageToVerify, type ImageToVerifyOptions, imageToVerify } from './running/image-to-verify.ts'
export type { BlobProgress, NameProgress, OnProgress, TotalProgress, TransferProgress } from './running/progress.ts'
export type { RunOptions } from './running/run-options.ts'
export type { CopyResult } from './running/run-transfer.ts'
export {
  type PlannedTag,
  type PlanTagRemovalOptions,
  planTagRemoval,
  type TagRemovalPlan,
} from './tags/plan-tag-removal.ts'
export { type RunTagRemovalOptions, runTagRemoval, type TagRemovalResult } from './tags/run-tag-removal.ts'
