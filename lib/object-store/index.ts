export { type CachedStoreOptions, cachedStore } from './cached/cached-store.ts'
export type { BucketLocks, HeldBucketLock } from './locks/bucket-locks.ts'
export { type RedisClient, type RedisLocksOptions, redisLocks } from './locks/redis-locks.ts'
export {
  type ObjectStoreSettings,
  type OpenObjectStoreOptions,
  openObjectStore,
  openStoreInBucket,
} from './open-object-store.ts'
export type {
  Bucket,
  BucketConditions,
  DeleteFault,
  DeleteManyOptions,
  ListedObject,
  ListedUpload,
  ListOptions,
  ObjectAnswer,
  ObjectBody,
  ObjectFacts,
  PresignOptions,
  PutObjectOptions,
  PutResult,
  UploadPart,
} from './s3/bucket.ts'
export type { BucketOptions } from './s3/bucket-options.ts'
export type { BucketCredentialSource, BucketCredentials } from './s3/credentials/credentials.ts'
export { openBucket } from './s3/open-bucket.ts'
export type { BucketRetryOptions } from './s3/requests/request-budget.ts'
export type { BucketTimeouts } from './s3/transport/wire.ts'
