import { LimitError, RegistryError } from '../../errors/index.ts'
import { collectBytes } from '../../internal/collect-bytes.ts'
import { parseStrictJson } from '../../internal/strict-json.ts'
import { isTag, type Repository } from '../../spec/index.ts'
import { shownUrl } from '../addresses/shown-url.ts'
import type { RegistryEndpoint } from '../endpoint/registry-endpoint.ts'
import { nextPage } from './next-page.ts'

const TAGS_PER_PAGE = 1000
const PAGE_BYTES = 8 * 1024 * 1024
const MAX_PAGES = 10_000

/** The tags of a repository. Pages are fetched as the caller reads on; a list that runs in a circle ends. */
export async function* listTags(
  endpoint: RegistryEndpoint,
  repository: Repository,
  signal: AbortSignal | undefined,
): AsyncGenerator<string, void, undefined> {
  let url: URL | undefined = endpoint.url(repository, `tags/list?n=${TAGS_PER_PAGE}`)
  const seen = new Set<string>()
  let previous = ''
  while (url && !seen.has(url.href)) {
    seen.add(url.href)
    if (seen.size > MAX_PAGES) throw new LimitError('pages of tags', { limit: MAX_PAGES, actual: seen.size })
    const at: URL = url
    const page = await endpoint.within('document', signal, () => fetchPage(endpoint, repository, at, signal))
    // Some registries ignore where a page should begin, and link to the same one under ever new addresses.
    const content = page.tags.join(' ')
    if (content === previous && content !== '') return
    previous = content
    yield* page.tags
    url = page.next
  }
}

async function fetchPage(
  endpoint: RegistryEndpoint,
  repository: Repository,
  url: URL,
  signal: AbortSignal | undefined,
) {
  const scopes = [`repository:${repository.repository}:pull`]
  const budget = endpoint.budget()
  for (;;) {
    const answer = await endpoint.send({ method: 'GET', url, scopes, expect: [200], budget, signal })
    try {
      const bytes = await collectBytes(answer.body, PAGE_BYTES, 'page of tags')
      const { link } = answer.headers
      return { tags: tagsIn(bytes, url), next: nextPage(Array.isArray(link) ? link.join(',') : link, url) }
    } catch (error) {
      await endpoint.waitAfter(error, budget, signal)
    }
  }
}

function tagsIn(bytes: Uint8Array, url: URL): readonly string[] {
  const tags = (parse(bytes, url) as { tags?: unknown } | null)?.tags ?? []
  if (Array.isArray(tags) && tags.every(tag => typeof tag === 'string' && isTag(tag))) return tags
  throw new RegistryError('ERR_PROTOCOL', 'not a list of tags', { method: 'GET', url: shownUrl(url), status: 200 })
}

function parse(bytes: Uint8Array, url: URL): unknown {
  try {
    return parseStrictJson(bytes)
  } catch (cause) {
    const details = { method: 'GET', url: shownUrl(url), status: 200 }
    throw new RegistryError('ERR_PROTOCOL', 'not a list of tags', details, { cause })
  }
}
