import type { Digest } from '../../digest/index.ts'
import { type Descriptor, Limits, MediaType } from '../../spec/index.ts'
import { type Answer, jsonAnswer } from '../answer.ts'
import type { Call } from '../call.ts'
import type { RepositoryNames } from '../served-names.ts'
import { outOfDate } from '../upstream/out-of-date.ts'

/**
 * SPEC: the list is an index, and clients refuse an index over the size limit of manifests; `Link` names the next page
 * (distribution-spec, listing referrers).
 */
const PAGE_BYTES = Limits.manifestBytes / 2

/** GET of the referrers of a manifest, which need not exist. */
export async function listReferrers(call: Call, route: RepositoryNames & { readonly digest: Digest }): Promise<Answer> {
  const artifactType = call.query.get('artifactType')
  const listed = await call.upstream?.referrers(route, route.digest, call.signal)
  const failure = listed && 'failure' in listed ? listed.failure : undefined
  if (failure) call.report(failure.reason)
  // SAFETY: the store does not record the repository of a referrer. Merging its list into that of the upstream registry
  // would show signatures of one repository in another; so the store is used only if the upstream registry cannot be
  // asked.
  const all = listed && 'items' in listed ? listed.items : await call.referrers.find(route.digest)
  const wanted = [...new Map(all.map(entry => [entry.digest, entry])).values()]
    .filter(entry => artifactType === null || entry.artifactType === artifactType)
    .sort((a, b) => (a.digest < b.digest ? -1 : 1))
  const page = pageAfter(wanted, call.query.get('last'))
  const headers: Record<string, string> = { 'Content-Type': MediaType.OciIndex, ...(failure ? outOfDate : {}) }
  if (artifactType !== null) headers['OCI-Filters-Applied'] = 'artifactType'
  const last = page.at(-1)
  if (last && last !== wanted.at(-1)) {
    const next = new URLSearchParams({ ...(artifactType === null ? {} : { artifactType }), last: last.digest })
    headers.Link = `</v2/${route.path}/referrers/${route.digest}?${next}>; rel="next"`
  }
  return jsonAnswer(200, { schemaVersion: 2, mediaType: MediaType.OciIndex, manifests: page }, headers)
}

function pageAfter(all: readonly Descriptor[], last: string | null): readonly Descriptor[] {
  const rest = all.filter(({ digest }) => last === null || digest > last)
  let bytes = 0
  const end = rest.findIndex(entry => {
    bytes += Buffer.byteLength(JSON.stringify(entry))
    return bytes > PAGE_BYTES
  })
  // At least one entry, whatever the size of its annotations.
  return end < 0 ? rest : rest.slice(0, Math.max(1, end))
}
