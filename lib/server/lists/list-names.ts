import { type Answer, jsonAnswer } from '../answer.ts'
import type { Call } from '../call.ts'
import { Fault } from '../fault.ts'
import { type RepositoryNames, servedNames } from '../served-names.ts'
import { outOfDate } from '../upstream/out-of-date.ts'

/** SAFETY: whatever `n` says, an answer lists no more than this (CVE-2023-2253); `Link` leads to the rest. */
const PAGE = 1000

/** GET of the tags of a repository. */
export async function listTags(call: Call, route: RepositoryNames): Promise<Answer> {
  const there = await call.upstream?.tags(route, call.signal)
  const failure = there && 'failure' in there ? there.failure : undefined
  if (failure) call.report(failure.reason)
  const tags = new Set(there && 'items' in there ? there.items : await storedTags(call, route))
  if (tags.size === 0) throw new Fault(404, { code: 'NAME_UNKNOWN', message: 'no such repository' })
  const page = pageOf(`/v2/${route.path}/tags/list`, call.query, tags)
  const headers = { ...page.headers, ...(failure ? outOfDate : {}) }
  return jsonAnswer(200, { name: route.path, tags: page.members }, headers)
}

async function storedTags(call: Call, { repository }: RepositoryNames): Promise<string[]> {
  const tags: string[] = []
  for await (const name of servedNames(call.store, registryOf(call), call.signal)) {
    if (name.repository === repository) tags.push(name.tag)
  }
  return tags
}

/** GET of the repositories. */
export async function listCatalog(call: Call): Promise<Answer> {
  const repositories = new Set<string>()
  for await (const name of servedNames(call.store, registryOf(call), call.signal)) repositories.add(name.path)
  const page = pageOf('/v2/_catalog', call.query, repositories)
  return jsonAnswer(200, { repositories: page.members }, page.headers)
}

function registryOf(call: Call): string | undefined {
  return call.settings.upstream?.registry
}

interface Page {
  readonly members: readonly string[]
  readonly headers: Record<string, string>
}

/** SPEC: sorted, `n` of them, those after `last`; `Link` names the next page if there is one (distribution-spec). */
function pageOf(path: string, query: URLSearchParams, names: Iterable<string>): Page {
  const last = query.get('last')
  const asked = query.get('n') ?? `${PAGE}`
  if (!/^\d{1,15}$/.test(asked)) {
    throw new Fault(400, { code: 'UNSUPPORTED', message: 'n must be a whole number' })
  }
  const limit = Math.min(Number(asked), PAGE)
  const rest = [...names].filter(name => last === null || name > last).sort()
  const members = rest.slice(0, limit)
  if (members.length === 0 || members.length === rest.length) return { members, headers: {} }
  const next = new URLSearchParams({ n: `${limit}`, last: members.at(-1)! })
  return { members, headers: { Link: `<${path}?${next}>; rel="next"` } }
}
