import { isRepositoryPath } from '../../oci/index.ts'
import type { RegistryEndpoint } from '../endpoint/registry-endpoint.ts'
import { readPages } from './read-pages.ts'

const NAMES_PER_PAGE = 1000

/** Lists the repositories of a registry. */
export function listRepositories(
  endpoint: RegistryEndpoint,
  signal: AbortSignal | undefined,
): AsyncGenerator<string, void, undefined> {
  const url = endpoint.address(`_catalog?n=${NAMES_PER_PAGE}`)
  const request = { url, scopes: ['registry:catalog:*'], signal }
  return readPages(endpoint, { name: 'repositories', request, itemsOf: namesIn })
}

function namesIn(document: unknown): readonly string[] | undefined {
  const names = (document as { repositories?: unknown } | null)?.repositories ?? []
  return Array.isArray(names) && names.every(name => typeof name === 'string' && isRepositoryPath(name))
    ? names
    : undefined
}
