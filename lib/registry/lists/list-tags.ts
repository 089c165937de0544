import { isDigest } from '../../digest/index.ts'
import { isTag, type Repository } from '../../oci/index.ts'
import type { RegistryEndpoint } from '../endpoint/registry-endpoint.ts'
import { readPages } from './read-pages.ts'

const TAGS_PER_PAGE = 1000

/** Lists the tags of a repository. */
export function listTags(
  endpoint: RegistryEndpoint,
  repository: Repository,
  signal: AbortSignal | undefined,
): AsyncGenerator<string, void, undefined> {
  const url = endpoint.url(repository, `tags/list?n=${TAGS_PER_PAGE}`)
  const scopes = [`repository:${repository.repository}:pull`]
  return readPages(endpoint, { name: 'tags', request: { url, scopes, signal }, itemsOf: tagsIn })
}

function tagsIn(document: unknown): readonly string[] | undefined {
  const tags = (document as { tags?: unknown } | null)?.tags ?? []
  if (!Array.isArray(tags)) return undefined
  // Some versions of Artifactory list digests among the tags (containers/skopeo#2346).
  const named = tags.filter(tag => !isDigest(tag))
  return named.every(tag => typeof tag === 'string' && isTag(tag)) ? named : undefined
}
