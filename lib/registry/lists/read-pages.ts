import { LimitError, RegistryError } from '../../errors/index.ts'
import { collectBytes } from '../../internal/collect-bytes.ts'
import { parseStrictJson } from '../../internal/strict-json.ts'
import { shownUrl } from '../addresses/shown-url.ts'
import type { RegistryEndpoint, RegistryRequest } from '../endpoint/registry-endpoint.ts'
import type { WireAnswer } from '../transport/transport.ts'
import { nextPage } from './next-page.ts'

const PAGE_BYTES = 8 * 1024 * 1024
const MAX_PAGES = 10_000

/** A list that a registry gives page by page. */
export interface PagedList<T> {
  /** What errors call it. */
  readonly name: string
  readonly request: Pick<RegistryRequest, 'url' | 'scopes' | 'headers' | 'signal'>
  /** Called if the registry has no such list, which then is empty. @defaultValue that is an error */
  readonly onMissing?: () => void
  /** The items of a page; `undefined` if it is not one. */
  itemsOf(document: unknown, answer: WireAnswer): readonly T[] | undefined
}

/** The items of a list. Pages are fetched as the caller reads on; a list that runs in a circle ends. */
export async function* readPages<T>(
  endpoint: RegistryEndpoint,
  list: PagedList<T>,
): AsyncGenerator<T, void, undefined> {
  let url: URL | undefined = list.request.url
  const seen = new Set<string>()
  let previous = ''
  while (url && !seen.has(url.href)) {
    seen.add(url.href)
    if (seen.size > MAX_PAGES) throw new LimitError(`pages of ${list.name}`, { limit: MAX_PAGES, actual: seen.size })
    const at: URL = url
    const page = await endpoint.within('document', list.request.signal, () => fetchPage(endpoint, list, at))
    // Some registries ignore where a page should begin, and link to the same one under ever new addresses.
    const content = JSON.stringify(page.items)
    if (content === previous && page.items.length > 0) return
    previous = content
    yield* page.items
    url = page.next
  }
}

async function fetchPage<T>(endpoint: RegistryEndpoint, list: PagedList<T>, url: URL) {
  const budget = endpoint.budget()
  const expect = list.onMissing ? [200, 404, 405, 501] : [200]
  for (;;) {
    const answer = await endpoint.send({ ...list.request, method: 'GET', url, expect, budget })
    try {
      const bytes = await collectBytes(answer.body, PAGE_BYTES, `page of ${list.name}`)
      if (answer.status !== 200) {
        list.onMissing?.()
        return { items: [], next: undefined }
      }
      const items = itemsIn(bytes, list, answer)
      const { link } = answer.headers
      return { items, next: nextPage(Array.isArray(link) ? link.join(',') : link, url) }
    } catch (error) {
      await endpoint.waitAfter(error, budget, list.request.signal)
    }
  }
}

function itemsIn<T>(bytes: Uint8Array, list: PagedList<T>, answer: WireAnswer): readonly T[] {
  const fail = (options?: ErrorOptions): never => {
    const details = { method: 'GET', url: shownUrl(answer.url), status: 200 }
    throw new RegistryError('ERR_PROTOCOL', `not a list of ${list.name}`, details, options)
  }
  let document: unknown
  try {
    document = parseStrictJson(bytes)
  } catch (cause) {
    return fail({ cause })
  }
  return list.itemsOf(document, answer) ?? fail()
}
