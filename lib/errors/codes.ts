import type { BucketErrorCode } from './bucket.ts'
import type { BuildErrorCode } from './build.ts'
import type { DockerfileErrorCode } from './dockerfile.ts'
import type { FormatErrorCode } from './format.ts'
import type { RegistryErrorCode } from './registry.ts'
import type { RootfsErrorCode } from './rootfs.ts'
import type { SandboxErrorCode } from './sandbox.ts'
import type { SourceErrorCode } from './source.ts'
import type { StoreErrorCode } from './store.ts'
import type { TrustErrorCode } from './trust.ts'

/** Every error code of this library. The README of the errors room says what the caller should do about each. */
export type ErrorCode =
  | FormatErrorCode
  | StoreErrorCode
  | RegistryErrorCode
  | BucketErrorCode
  | RootfsErrorCode
  | SourceErrorCode
  | DockerfileErrorCode
  | BuildErrorCode
  | SandboxErrorCode
  | TrustErrorCode
  | 'ERR_HASHER'
  | 'ERR_LISTEN'
  | 'ERR_LIMIT_EXCEEDED'
  | 'ERR_DIGEST_MISMATCH'
  | 'ERR_SIZE_MISMATCH'
  | 'ERR_DIFF_ID_MISMATCH'
  | 'ERR_BLOB_NOT_FOUND'
  | 'ERR_BLOB_CORRUPT'
  | 'ERR_REFERENCE_NOT_FOUND'
  | 'ERR_PLATFORM_NOT_FOUND'
  | 'ERR_PLAN_OUTDATED'
