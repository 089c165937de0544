export type { AbortOptions } from '../internal/abort.ts'
export type { ByteSource } from '../internal/byte-source.ts'
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
export type { CheckDriver, FoundFile, FoundNames, MendedFile, NamedEntry } from './check/check-driver.ts'
export type { CheckFault, CheckReport, ProblemClass, StoreProblem } from './check/check-report.ts'
export { type CheckProgress, type CheckStoreOptions, checkStore } from './check/check-store.ts'
export { type RepairSource, storeSource } from './check/repair-source.ts'
export { type RepairProgress, type RepairResult, type RepairStoreOptions, repairStore } from './check/repair-store.ts'
export type {
  CacheRecord,
  CollectionDriver,
  CollectionRoots,
  LeaseState,
  LiveRoots,
  RemovalOutcome,
  StoredBlob,
  UnfinishedUsage,
} from './collect/collection-driver.ts'
export type {
  BlobCount,
  CollectionPlan,
  CollectionPolicy,
  CollectionResult,
  DroppedBlob,
  KeptBlob,
  ResolvedPolicy,
} from './collect/collection-plan.ts'
export { type PlanCollectionOptions, planCollection } from './collect/plan-collection.ts'
export { type ImageUsage, readStoreUsage, type StoreUsage } from './collect/read-store-usage.ts'
export { runCollection } from './collect/run-collection.ts'
export type { DerivedKind, DerivedStore } from './derived-store.ts'
export { type OpenStoreOptions, openStore } from './disk/open-store.ts'
export { type BlobSource, blobSources, recordBlobSource } from './facts/blob-sources.ts'
export type { FactKeeper } from './facts/fact-file.ts'
export { type LayerFact, layerFact, layersOfDiffId, recordLayerFact } from './facts/layer-facts.ts'
export { findDocument } from './find-document.ts'
export type { HoldOptions, Lease, LeaseInfo, LeaseStore } from './leases/lease-store.ts'
export { createMemoryStore, type MemoryStoreOptions } from './memory/create-memory-store.ts'
export { namesIn } from './names-in.ts'
export { type ReadDocumentOptions, readDocument } from './read-document.ts'
export type { NamedDescriptor, ReferenceStore, SetReferenceOptions } from './reference-store.ts'
export { keptName } from './shared/reference-name.ts'
export type { Store } from './store.ts'
export type { StoreEvent, StoreWaitedEvent, StoreWaitingEvent } from './store-event.ts'
export { readOnly } from './wrap/read-only.ts'
export { type TieredOptions, tiered } from './wrap/tiered.ts'
export { type VerifyingOptions, verifying } from './wrap/verifying.ts'
