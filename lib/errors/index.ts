export { type ErrorCodeFormat, LayerStoreError } from './base.ts'
export { BucketError, type BucketErrorCode, type BucketErrorDetails } from './bucket.ts'
export { BuildError, type BuildErrorCode, type BuildErrorDetails, type FailedCommand } from './build.ts'
export type { ErrorCode } from './codes.ts'
export { DockerfileError, type DockerfileErrorCode, type DockerfileErrorDetails } from './dockerfile.ts'
export { FormatError, type FormatErrorCode, LimitError } from './format.ts'
export { HasherError } from './hasher.ts'
export { PlatformNotFoundError } from './image.ts'
export { DiffIdMismatchError, DigestMismatchError, SizeMismatchError } from './integrity.ts'
export { RegistryError, type RegistryErrorCode, type RegistryErrorDetails, type WireError } from './registry.ts'
export { RootfsError, type RootfsErrorCode, type RootfsErrorDetails } from './rootfs.ts'
export { SandboxError, type SandboxErrorCode } from './sandbox.ts'
export { ListenError } from './server.ts'
export { SourceError, type SourceErrorCode } from './source.ts'
export {
  BlobCorruptError,
  BlobNotFoundError,
  ReferenceNotFoundError,
  StoreError,
  type StoreErrorCode,
} from './store.ts'
export { type PlanChange, PlanOutdatedError } from './transfer.ts'
export { TrustError, type TrustErrorCode, type TrustErrorDetails } from './trust.ts'
