export type { CheckReport, ProblemClass, StoreProblem } from './check/check-report.ts'
export { type CheckProgress, type CheckStoreOptions, checkStore } from './check/check-store.ts'
export { type RepairSource, repairFromStore } from './check/repair-source.ts'
export { type RepairProgress, type RepairResult, type RepairStoreOptions, repairStore } from './check/repair-store.ts'
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
