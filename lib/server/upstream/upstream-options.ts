import type { RegistryClient } from '../../registry/index.ts'

/** Where a registry server fetches from what its store does not have. */
export interface RegistryUpstream {
  /** The registry, as in references: `docker.io`, `ghcr.io`, `127.0.0.1:5000`. */
  readonly registry: string
  /** What to fetch with; it brings the credentials and the limits. It stays open when the server closes. */
  readonly client: RegistryClient
  /** A tag that was looked up less than so long ago is not looked up again. @defaultValue one minute */
  readonly tagMaxAgeMs?: number | undefined
}
