export type { AbortOptions } from '../internal/abort.ts'
export type { ByteSource } from '../internal/byte-source.ts'
export { KeyedMutex, type Release } from '../internal/concurrency/keyed-mutex.ts'
export type { Life, Owner } from '../internal/locks/owner.ts'
export { type AssertCompleteOptions, assertComplete, completeGraph, nameableGraph } from './assert-complete.ts'
export { assertStore } from './assert-store.ts'
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
export { assertExpected } from './drivers/assert-expected.ts'
export { WRITE_BLOCK_BYTES } from './drivers/block-gatherer.ts'
export type { CheckDriver, FoundFile, FoundNames, MendedFile, NamedEntry } from './drivers/check-driver.ts'
export { type CheckFault, faultOf } from './drivers/check-fault.ts'
export type {
  AskNeeded,
  CacheRecord,
  CollectionDriver,
  CollectionRoots,
  ContainerRoot,
  LeaseState,
  LiveRoots,
  RemovalOutcome,
  StoredBlob,
  UnfinishedUsage,
} from './drivers/collection-driver.ts'
export { damagedLease, type FoundLease } from './drivers/damaged-lease.ts'
export { checkDerivedKey } from './drivers/derived-key.ts'
export { type DriverLease, HeldLeases } from './drivers/held-leases.ts'
export { acquireIngestKey, checkIngestKey, ingestBusy } from './drivers/ingest-key.ts'
export type { IngestFile, IngestSink, IngestWriterParts, Progress } from './drivers/ingest-writer.ts'
export { IngestWriter } from './drivers/ingest-writer.ts'
export {
  createLeaseRecord,
  type LeaseRecord,
  leaseIdOf,
  leaseStateOf,
  parseLeaseRecord,
} from './drivers/lease-record.ts'
export { listDocuments } from './drivers/list-documents.ts'
export { checkDriverOf } from './drivers/plain-check-driver.ts'
export { isSmall, putBytes } from './drivers/put-bytes.ts'
export { putThrough } from './drivers/put-through.ts'
export { unusedQuarantineName } from './drivers/quarantine-name.ts'
export { checkRange, type ReadRange, rangeOf } from './drivers/read-range.ts'
export { spellingsOf, storedName } from './drivers/reference-name.ts'
export { openSealed, SEAL, sealBytes } from './drivers/sealed-bytes.ts'
export { type AddressOptions, driverOf, type StoreDriver } from './drivers/store-driver.ts'
export { verifyStored } from './drivers/verify-stored.ts'
export type { FactKeeper } from './facts/fact-file.ts'
export { forgetFacts } from './facts/forget-facts.ts'
export { type KnownSource, knownSourcesOf, recordKnownSource } from './facts/known-sources.ts'
export { keyOfSecrets, type LayerFact, layerFact, layersOfDiffId, recordLayerFact } from './facts/layer-facts.ts'
export { findDocument } from './find-document.ts'
export { type CheckedHold, checkHold } from './leases/check-hold.ts'
export type { HoldOptions, Lease, LeaseInfo, LeaseStore } from './leases/lease-store.ts'
export { readOnlyLease } from './leases/read-only-lease.ts'
export { createMemoryStore, type MemoryStoreOptions } from './memory/create-memory-store.ts'
export { namesIn } from './names-in.ts'
export { type ReadDocumentOptions, readDocument } from './read-document.ts'
export type { NamedDescriptor, ReferenceStore, SetReferenceOptions } from './reference-store.ts'
export type { Store } from './store.ts'
export type { StoreEvent, StoreWaitedEvent, StoreWaitingEvent } from './store-event.ts'
export { readOnlyStore } from './wrap/read-only-store.ts'
export { type TieredStoreOptions, tieredStore } from './wrap/tiered-store.ts'
export { type VerifyingStoreOptions, verifyingStore } from './wrap/verifying-store.ts'
