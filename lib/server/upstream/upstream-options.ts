import type { RegistryClient } from '../../registry/index.ts'

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
}
