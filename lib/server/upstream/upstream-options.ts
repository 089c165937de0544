import type { Digest } from '../../digest/index.ts'
import type { AbortOptions } from '../../internal/abort.ts'
import type { Descriptor, Reference } from '../../oci/index.ts'
import type { RegistryClient } from '../../registry/index.ts'

/**
 * Verifies a manifest of the upstream registry before it is stored, served or named; `verifyAt` of a policy is such a
 * function. `known` returns the bytes of the manifest itself.
 */
export type VerifyUpstream = (
  place: { readonly registry: RegistryClient; readonly reference: Reference },
  root: Descriptor,
  options: AbortOptions & { readonly known: (digest: Digest) => Uint8Array | undefined },
) => Promise<void>

/** Registry that a server mirrors. */
export interface RegistryUpstream {
  /** Registry as in references: `docker.io`, `ghcr.io`, `127.0.0.1:5000`. */
  readonly registry: string
  /** Client for the upstream registry, with its credentials and limits. It stays open when the server closes. */
  readonly client: RegistryClient
  /** Time in milliseconds during which a tag is not looked up again. @defaultValue one minute */
  readonly tagMaxAgeMs?: number | undefined
  /**
   * Fetches of blobs that run or wait at once, and as many of manifests. Requests that need a further fetch are
   * answered with 429. @defaultValue `256`
   */
  readonly maxFetches?: number | undefined
  /**
   * Verifies each manifest that is fetched, and the target of each tag that is looked up. If it throws
   * `ERR_POLICY_REFUSED`, the answer is 403 and the tag gets no name, not even that of an earlier look-up. Images below
   * an index that was verified pass. What the store has is served by its digest without a check. @defaultValue no check
   */
  readonly verify?: VerifyUpstream | undefined
}
