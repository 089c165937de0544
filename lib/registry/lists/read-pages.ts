import { LimitError, RegistryError } from '../../errors/index.ts'
import { parseStrictJson } from '../../internal/strict-json.ts'
import { shownUrl } from '../addresses/shown-url.ts'
import { readAnswerDocument } from '../answers/content-coding.ts'
import { SUCCESS } from '../answers/success.ts'
import type { RegistryEndpoint, RegistryRequest } from '../endpoint/registry-endpoint.ts'
import type { WireAnswer } from '../transport/transport.ts'
import { nextPage } from './next-page.ts'

/** Bounds of one list. SAFETY: a registry may link to ever new pages and keep the client busy without end. */
export const LIST_LIMITS = {
  pageBytes: 8 * 1024 * 1024,
  listBytes: 256 * 1024 * 1024,
  pages: 10_000,
  /** Consecutive empty pages. */
  emptyPages: 100,
}

/** Statuses of registries without a list. Crane includes 400 and 406 as well. */
const MISSING = [400, 404, 405, 406, 410, 501]

/** A paginated list of a registry. */
export interface PagedList<T> {
  /** Name of the list in errors. */
  readonly name: string
  readonly request: Pick<RegistryRequest, 'url' | 'scopes' | 'headers' | 'signal'>
  /**
   * Called if the registry does not support the list, which then is empty. @defaultValue throws the registry's error
   */
  readonly onMissing?: () => void
  /** Extracts the items of a page; `undefined` if the document is not a page. */
  itemsOf(document: unknown, answer: WireAnswer): readonly T[] | undefined
}

/**
 * Streams the items of a list. Fetches each page when the caller reaches it; ends a list that links back to an earlier
 * page.
 */
export async function* readPages<T>(
  endpoint: RegistryEndpoint,
  list: PagedList<T>,
  limits: typeof LIST_LIMITS = LIST_LIMITS,
): AsyncGenerator<T, void, undefined> {
  let url: URL | undefined = list.request.url
  const seen = new Set<string>()
  const come = { bytes: 0, empty: 0 }
  const check = (what: string, limit: number, actual: number) => {
    if (actual > limit) throw new LimitError(`${what} of ${list.name}`, { limit, actual })
  }
  let previous = ''
  while (url && !seen.has(url.href)) {
    seen.add(url.href)
    check('pages', limits.pages, seen.size)
    const at: URL = url
    const page = await endpoint.within('document', list.request.signal, () => fetchPage(endpoint, list, at, limits))
    come.bytes += page.bytes
    come.empty = page.items.length === 0 ? come.empty + 1 : 0
    check('bytes', limits.listBytes, come.bytes)
    check('empty pages in a row', limits.emptyPages, come.empty)
    // Some registries ignore the start of a page and link to the same page under ever new URLs, so contents are
    // compared.
    const content = JSON.stringify(page.items)
    if (content === previous && page.items.length > 0) return
    previous = content
    yield* page.items
    url = page.next
  }
}

interface Page<T> {
  readonly items: readonly T[]
  readonly bytes: number
  readonly next: URL | undefined
}

async function fetchPage<T>(
  endpoint: RegistryEndpoint,
  list: PagedList<T>,
  url: URL,
  { pageBytes }: typeof LIST_LIMITS,
): Promise<Page<T>> {
  const budget = endpoint.budget()
  const expect = list.onMissing ? [...SUCCESS, ...MISSING] : SUCCESS
  for (;;) {
    const answer = await askForPage(endpoint, { ...list.request, method: 'GET', url, expect, budget })
    try {
      const bytes = await readAnswerDocument(answer, pageBytes, `page of ${list.name}`)
      if (list.onMissing && isMissing(answer)) {
        list.onMissing()
        return { items: [], bytes: bytes.byteLength, next: undefined }
      }
      const items = itemsIn(bytes, list, answer)
      const { link } = answer.headers
      const next = nextPage(Array.isArray(link) ? link.join(',') : link, url)
      return { items, bytes: bytes.byteLength, next }
    } catch (error) {
      await endpoint.waitAfter(error, budget, list.request.signal)
    }
  }
}

/**
 * SPEC: a registry may refuse a page size above its maximum (PAGINATION_NUMBER_INVALID). The retry lets the registry
 * choose.
 */
async function askForPage(endpoint: RegistryEndpoint, request: RegistryRequest): Promise<WireAnswer> {
  try {
    return await endpoint.send(request)
  } catch (error) {
    const isRefused = error instanceof RegistryError && error.status === 400
    if (!isRefused || !request.url.searchParams.has('n')) throw error
    const url = new URL(request.url)
    url.searchParams.delete('n')
    return endpoint.send({ ...request, url })
  }
}

/** Some servers answer every unknown URL with an HTML page. */
function isMissing({ status, headers }: WireAnswer): boolean {
  return MISSING.includes(status) || /^\s*text\/html\b/i.test(headers['content-type'] ?? '')
}

function itemsIn<T>(bytes: Uint8Array, list: PagedList<T>, answer: WireAnswer): readonly T[] {
  const fail = (options?: ErrorOptions): never => {
    const details = { method: 'GET', url: shownUrl(answer.url), status: answer.status }
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
