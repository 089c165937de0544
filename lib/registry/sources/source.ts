import type { Repository } from '../../oci/index.ts'
import type { RegistryEndpoint } from '../endpoint/registry-endpoint.ts'

/** One source of a repository: a mirror, or the registry itself. */
export interface Source {
  /** Name of the source in events. */
  readonly name: string
  readonly endpoint: RegistryEndpoint
  /** The repository under its name at this source. */
  readonly repository: Repository
  /** The source must not resolve tags. */
  readonly byDigestOnly: boolean
}
