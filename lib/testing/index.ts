export { blobStoreConformance } from './blob-store-conformance.ts'
export type { ExecutorSubject } from './executor-conformance/executor-subject.ts'
export { executorConformance } from './executor-conformance.ts'
export {
  createFaultyRegistry,
  type FaultyRegistry,
  type FaultyRegistryOptions,
} from './faulty-registry/create-faulty-registry.ts'
export type { FaultCondition, RegistryFault, SeenByRegistry } from './faulty-registry/fault.ts'
export type { ConformanceCase, StoreSubject } from './store-conformance/subject.ts'
