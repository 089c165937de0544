import { type Answer, jsonAnswer } from '../answer.ts'
import type { Call } from '../call.ts'
import { Fault } from '../fault.ts'
import type { RepositoryNames } from '../served-names.ts'
import { outOfDate } from '../upstream/out-of-date.ts'
import { nameTableOf } from './name-table.ts'

/** SAFETY: whatever `n` says, an answer lists no more than this (CVE-2023-2253); `Link` leads to the rest. */
const PAGE = 1000

/** GET of the tags of a repository. */
export async function listTags(call: Call, route: RepositoryNames): Promise<Answer> {
  const there = await call.upstream?.tags(route, call.signal)
  const failure = there && 'failure' in there ? there.failure : undefined
  if (failure) call.report(failure.reason)
  const tags =
    there && 'items' in there
      ? [...new Set(there.items)].sort()
      : await nameTableOf(call.store).tags(route.repository, call.signal)
  if (tags.length === 0) throw new Fault(404, { code: 'NAME_UNKNOWN', message: 'no such repository' })
  const page = pageOf(`/v2/${route.path}/tags/list`, call.query, tags)
  const headers = { ...page.headers, ...(failure ? outOfDate : {}) }
  return jsonAnswer(200, { name: route.path, tags: page.members }, headers)
}

/** GET of the repositories. */
export async function listCatalog(call: Call): Promise<Answer> {
  const repositories = await nameTableOf(call.store).catalog(call.settings.upstream?.registry, call.signal)
  const page = pageOf('/v2/_catalog', call.query, repositories)
  return jsonAnswer(200, { repositories: page.members }, page.headers)
}

interface Page {
  readonly members: readonly string[]
  readonly headers: Record<string, string>
}

/** SPEC: in order, `n` of them, those after `last`; `Link` names the next page if there is one (distribution-spec). */
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

/** Place of the first member of a sorted list that comes after a text, which need not be in it. */
function firstAfter(sorted: readonly string[], text: string): number {
  let [low, high] = [0, sorted.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if ((sorted[middle] as string) > text) high = middle
    else low = middle + 1
  }
  return low
}
