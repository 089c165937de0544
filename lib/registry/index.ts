export type { HostLookup } from './addresses/address-scope.ts'
export type { HostRule } from './addresses/base-url.ts'
export { assertRegistryClient } from './assert-registry-client.ts'
export type {
  RegistryClientOptions,
  RegistryEvent,
  RegistryHostOptions,
  RegistryMirror,
  RegistryMirrorEvent,
  RegistryRateLimitEvent,
  RegistryWaitEvent,
  RegistryWarning,
} from './client-options.ts'
export { createRegistryClient } from './create-registry-client.ts'
export type { Credential, CredentialOptions, CredentialSource } from './credentials/credential.ts'
export type { RetryOptions } from './endpoint/retry-budget.ts'
export { forgetCredential } from './logins/forget-credential.ts'
export { saveCredential } from './logins/save-credential.ts'
export type { CredentialPlace, StoredCredentialOptions } from './logins/stored-credential.ts'
export type {
  FetchBlobOptions,
  FetchedManifest,
  MountSource,
  PushBlobOptions,
  PushedBlob,
  ReferrersOptions,
  RegistryClient,
  RemoteBlob,
  UploadMemory,
} from './registry-client.ts'
export type { Timeouts } from './transport/transport.ts'
