export { blobStoreConformance } from './blob-store-conformance.ts'
export type { ConformanceCase, StoreSubject } from './store-conformance/subject.ts'
