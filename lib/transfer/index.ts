export type { CopySource, CopyTarget, CopyTargetOptions, RegistryEnd, StoreEnd } from './endpoints/copy-ends.ts'
export type { RegistryTargetOptions } from './endpoints/registry/registry-target-options.ts'
export { sourceInRegistry } from './endpoints/registry/source-in-registry.ts'
export { targetInRegistry } from './endpoints/registry/target-in-registry.ts'
export type { PushTurn, PushTurns } from './endpoints/store/push-turns.ts'
export { type ReadableStore, sourceInStore } from './endpoints/store/source-in-store.ts'
export { type StoreTargetOptions, targetInStore } from './endpoints/store/target-in-store.ts'
export type { GraphNode } from './endpoints/transfer-graph.ts'
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
export { type PlanPushOptions, planPush } from './plan-push.ts'
export type { PlatformChoice } from './planning/choose-root.ts'
export { knownSources, registrySource } from './repair-sources.ts'
export { type CopyResult, copyImage, type RunCopyOptions, runCopy } from './run-copy.ts'
export { type PullResult, type RunPullOptions, runPull } from './run-pull.ts'
export { type PushResult, type RunPushOptions, runPush } from './run-push.ts'
export type { BlobProgress, NameProgress, OnProgress, TotalProgress, TransferProgress } from './running/progress.ts'
export type { RunOptions } from './running/run-options.ts'
