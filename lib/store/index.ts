export { type OpenStoreOptions, openStore } from '../disk-store/open-store.ts'
export type { AbortOptions } from '../internal/abort.ts'
export type { ByteSource } from '../internal/byte-source.ts'
export type { CheckFault, CheckReport, ProblemClass, StoreProblem } from '../maintenance/check/check-report.ts'
export { type CheckProgress, type CheckStoreOptions, checkStore } from '../maintenance/check/check-store.ts'
export { type RepairSource, storeSource } from '../maintenance/check/repair-source.ts'
export {
  type RepairProgress,
  type RepairResult,
  type RepairStoreOptions,
  repairStore,
} from '../maintenance/check/repair-store.ts'
export type {
  BlobCount,
  CollectionPlan,
  CollectionPolicy,
  CollectionResult,
  DroppedBlob,
  KeptBlob,
  ResolvedPolicy,
} from '../maintenance/collect/collection-plan.ts'
export { type PlanCollectionOptions, planCollection } from '../maintenance/collect/plan-collection.ts'
export { type ImageUsage, readStoreUsage, type StoreUsage } from '../maintenance/collect/read-store-usage.ts'
export { runCollection } from '../maintenance/collect/run-collection.ts'
export { assertComplete, completeGraph } from './assert-complete.ts'
export type {
  BlobInfo,
  BlobReader,
  BlobStore,
  BlobWriter,
  CommitOptions,
  CorruptionPolicy,
  IngestInfo,
  IngestOptions,
  PutOptions,
  ReadBlobOptions,
  VerifyPolicy,
} from './blob-store.ts'
export type { DerivedKind, DerivedStore } from './derived-store.ts'
export type { CheckDriver, FoundFile, FoundNames, MendedFile, NamedEntry } from './drivers/check-driver.ts'
export type {
  CacheRecord,
  CollectionDriver,
  CollectionRoots,
  LeaseState,
  LiveRoots,
  RemovalOutcome,
  StoredBlob,
  UnfinishedUsage,
} from './drivers/collection-driver.ts'
export { keptName } from './drivers/reference-name.ts'
export type { FactKeeper } from './facts/fact-file.ts'
export { type BlobSource, blobSources, recordBlobSource } from './facts/known-sources.ts'
export { type LayerFact, layerFact, layersOfDiffId, recordLayerFact } from './facts/layer-facts.ts'
export { findDocument } from './find-document.ts'
export type { HoldOptions, Lease, LeaseInfo, LeaseStore } from './leases/lease-store.ts'
export { createMemoryStore, type MemoryStoreOptions } from './memory/create-memory-store.ts'
export { namesIn } from './names-in.ts'
export { type ReadDocumentOptions, readDocument } from './read-document.ts'
export type { NamedDescriptor, ReferenceStore, SetReferenceOptions } from './reference-store.ts'
export type { Store } from './store.ts'
export type { StoreEvent, StoreWaitedEvent, StoreWaitingEvent } from './store-event.ts'
export { readOnly } from './wrap/read-only-store.ts'
export { type TieredOptions, tiered } from './wrap/tiered-store.ts'
export { type VerifyingOptions, verifying } from './wrap/verifying-store.ts'
