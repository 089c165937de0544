import type { Repository } from '../../oci/index.ts'
import type { RegistryEndpoint } from '../endpoint/registry-endpoint.ts'

/** One place that holds a repository: a mirror, or the registry itself. */
export interface Source {
  /** What events call it. */
  readonly name: string
  readonly endpoint: RegistryEndpoint
  /** The repository as this place calls it. */
  readonly repository: Repository
  /** Not to be asked what a tag stands for. */
  readonly byDigestOnly: boolean
}
