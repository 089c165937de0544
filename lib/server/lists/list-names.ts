import { type Answer, jsonAnswer } from '../answer.ts'
import type { Call } from '../call.ts'
import { Fault } from '../fault.ts'
import { outOfDate } from '../out-of-date.ts'
import type { RepositoryNames } from '../served-names.ts'
import { nameTableOf } from './name-table.ts'

/**
 * Members per answer. SAFETY: a client may ask for any `n`; an unbounded list would exhaust the memory (CVE-2023-2253).
 * Longer lists are split into pages, linked by `Link`.
 */
const PAGE = 1000

/** GET of the tags of a repository. */
export async function serveTagList(call: Call, route: RepositoryNames): Promise<Answer> {
  const listed = await call.upstream?.tags(route, call.signal)
  const failure = listed && 'failure' in listed ? listed.failure : undefined
  if (failure) call.report(failure.reason)
  const tags =
    listed && 'items' in listed
      ? [...new Set(listed.items)].sort()
      : await nameTableOf(call.store).tags(route.repository, call.signal)
  if (tags.length === 0) throw new Fault(404, { code: 'NAME_UNKNOWN', message: 'no such repository' })
  const page = pageOf(`/v2/${route.path}/tags/list`, call.query, tags)
  const headers = { ...page.headers, ...(failure ? outOfDate : {}) }
  return jsonAnswer(200, { name: route.path, tags: page.members }, headers)
}

/** GET of the catalog of repositories. */
export async function listCatalog(call: Call): Promise<Answer> {
  const repositories = await nameTableOf(call.store).catalog(call.settings.upstream?.registry, call.signal)
  const page = pageOf('/v2/_catalog', call.query, repositories)
  return jsonAnswer(200, { repositories: page.members }, page.headers)
}

interface Page {
  readonly members: readonly string[]
  readonly headers: Record<string, string>
}

/**
 * One page of a list. SPEC: up to `n` members after `last`, in order; `Link` names the next page if there is one
 * (distribution-spec, listing tags).
 */
function pageOf(path: string, query: URLSearchParams, sorted: readonly string[]): Page {
  const last = query.get('last')
  const asked = query.get('n') ?? `${PAGE}`
  if (!/^\d{1,15}$/.test(asked)) {
    throw new Fault(400, { code: 'UNSUPPORTED', message: 'n must be a whole number' })
  }
  const limit = Math.min(Number(asked), PAGE)
  const start = last === null ? 0 : firstAfter(sorted, last)
  const members = sorted.slice(start, start + limit)
  if (members.length === 0 || start + members.length === sorted.length) return { members, headers: {} }
  const next = new URLSearchParams({ n: `${limit}`, last: members.at(-1)! })
  return { members, headers: { Link: `<${path}?${next}>; rel="next"` } }
}

/** Index of the first member of a sorted list that is greater than `text`, which need not be a member. */
function firstAfter(sorted: readonly string[], text: string): number {
  let [low, high] = [0, sorted.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if ((sorted[middle] as string) > text) high = middle
    else low = middle + 1
  }
  return low
}
