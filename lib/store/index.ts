export type { AbortOptions } from '../internal/abort.ts'
export type { ByteSource } from '../internal/byte-source.ts'
export { assertComplete } from './assert-complete.ts'
export type {
  BlobInfo,
  BlobReader,
  BlobStore,
  BlobWriter,
  CommitOptions,
  IngestOptions,
  PutOptions,
  ReadBlobOptions,
  VerifyPolicy,
} from './blob-store.ts'
export { type OpenStoreOptions, openStore } from './disk/open-store.ts'
export { createMemoryStore, type MemoryStoreOptions } from './memory/create-memory-store.ts'
export { type ReadDocumentOptions, readDocument } from './read-document.ts'
export type { NamedDescriptor, ReferenceStore } from './reference-store.ts'
export type { Store } from './store.ts'
