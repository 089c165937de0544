export type { FixedBase } from './bases/fixed-base.ts'
export type { LayoutImage } from './bases/open-layouts.ts'
export type { ResolveBaseOptions } from './bases/resolve-base.ts'
export { type BuildImageOptions, buildImage } from './build-image.ts'
export type { BasePlan, BuildNeed, BuildPlan, BuildPlanStep, ImagePlan } from './build-plan.ts'
export type { BuildProgress, BuildStepResult, BuildTask, OnBuildProgress, ProgressCommon } from './build-progress.ts'
export type { BuildWarning } from './build-warning.ts'
export type { Difference } from './cache/difference.ts'
export { type CacheSource, type ImportCacheOptions, importCache } from './cache/import-cache.ts'
export type { ImportedCache } from './cache/imported-cache.ts'
export type { StepRecord } from './cache/step-record.ts'
export type { BuildContext } from './context/build-context.ts'
export { type ContextDigestOptions, contextDigest } from './context/context-digest.ts'
export { contextTar } from './context/context-tar.ts'
export { type ContextDecision, listContext } from './context/list-context.ts'
export { createMemoryTree, type MemoryTreeOptions } from './context/memory-tree.ts'
export { type ContextSource, type OpenContextOptions, openContext } from './context/open-context.ts'
export type { LazyFile, OpenedFile, SourceNode, SourceTree } from './context/source-tree.ts'
export { createViewTree, type ViewTreeOptions } from './context/view-tree.ts'
export type {
  FileCopyEntriesOptions,
  FileCopyInput,
  FileCopyPlan,
  FileCopySource,
  FileCopyStep,
} from './copy/file-copy.ts'
export { planFileCopy } from './copy/plan-file-copy.ts'
export type { KeyPart, KeySubject } from './keys/key-part.ts'
export type { LayerPolicies } from './keys/step-parts.ts'
export { type ActualBuild, compareLock, type LockDifference } from './lock/compare-lock.ts'
export type { BuildLockOptions, ImageLock, LockedBase, LockedImage, LockedInputs } from './lock/image-lock.ts'
export { type InputsToLock, lockedImage, lockInputs } from './lock/make-image-lock.ts'
export { formatImageLock, parseImageLock } from './lock/parse-image-lock.ts'
export type { CacheTarget } from './outputs/export-cache.ts'
export type { ArchiveOutput, BuildOutputs, GivenOutputs, OutputPlace } from './outputs/give-outputs.ts'
export { type PlanBuildOptions, planBuild } from './plan-build.ts'
export { type DockerfileStagesOptions, dockerfileStages } from './planning/dockerfile-stages.ts'
export type { BuildStages, EvaluatedStages, EvaluationRequest, StageSource } from './planning/stage-source.ts'
export type { BuildAttestations, ProvenanceOptions } from './provenance/provenance-options.ts'
export {
  type BuildResult,
  type BuiltImage,
  type PlatformAnnotations,
  type RunBuildOptions,
  runBuild,
} from './run-build.ts'
export { type NodeAppOptions, nodeApp } from './scripted/node-app.ts'
export type { StageNode } from './scripted/script-state.ts'
export type {
  AddOptions,
  ConfigMember,
  CopyFrom,
  CopyOptions,
  CopySourceOptions,
  RunOptionsOfStage,
  ScriptedMount,
  StepOptions,
} from './scripted/scripted-options.ts'
export { type FromOptions, from, type HealthcheckOptions, ScriptedStage } from './scripted/scripted-stage.ts'
export type { Variables } from './scripted/scripted-steps.ts'
export { type StaticSiteOptions, staticSite } from './scripted/static-site.ts'
export type { NoCache } from './session/bound-session.ts'
export {
  type BuildSources,
  type OpenBuildSourcesOptions,
  type OpenedBuildSources,
  openBuildSources,
} from './session/open-sources.ts'
export type { LayerSettings } from './steps/make-step.ts'
export type { RunSettings } from './steps/run-entries.ts'
export type { VerifyBase } from './verify-base.ts'
