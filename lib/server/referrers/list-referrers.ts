import type { Digest } from '../../digest/index.ts'
import { type Descriptor, Limits, MediaType } from '../../oci/index.ts'
import { type Answer, jsonAnswer } from '../answer.ts'
import type { Call } from '../call.ts'
import { outOfDate } from '../out-of-date.ts'
import type { RepositoryNames } from '../served-names.ts'

/**
 * SPEC: the list is an index, and clients refuse an index over the size limit of manifests; `Link` names the next page
 * (distribution-spec, listing referrers).
 */
const PAGE_BYTES = Limits.manifestBytes / 2

/** GET of the referrers of a manifest, which need not exist. */
export async function serveReferrers(
  call: Call,
  route: RepositoryNames & { readonly digest: Digest },
): Promise<Answer> {
  const artifactType = call.query.get('artifactType')
  const listed = await call.upstream?.referrers(route, route.digest, call.signal)
  const failure = listed && 'failure' in listed ? listed.failure : undefined
  if (failure) call.report(failure.reason)
  const last = call.query.get('last')
  // SAFETY: the store does not record the repository of a referrer. Merging its list into that of the upstream registry
  // would show signatures of one repository in another; so the store is used only if the upstream registry cannot be
  // asked.
  const all =
    listed && 'items' in listed ? sorted(listed.items, last) : call.referrers.find(route.digest, last, call.signal)
  const page = await pageOf(all, artifactType)
  const headers: Record<string, string> = { 'Content-Type': MediaType.OciIndex, ...(failure ? outOfDate : {}) }
  if (artifactType !== null) headers['OCI-Filters-Applied'] = 'artifactType'
  if (page.hasMore) {
    const after = { last: page.entries.at(-1)!.digest }
    const next = new URLSearchParams({ ...(artifactType === null ? {} : { artifactType }), ...after })
    headers.Link = `</v2/${route.path}/referrers/${route.digest}?${next}>; rel="next"`
  }
  return jsonAnswer(200, { schemaVersion: 2, mediaType: MediaType.OciIndex, manifests: page.entries }, headers)
}

/** Each entry once, sorted by digest, after `last`. */
function sorted(entries: readonly Descriptor[], last: string | null): readonly Descriptor[] {
  const unique = new Map(entries.map(entry => [entry.digest, entry]))
  return [...unique.values()]
    .filter(({ digest }) => last === null || digest > last)
    .sort((a, b) => (a.digest < b.digest ? -1 : 1))
}

/** The entries that fit on a page; at least one, whatever the size of its annotations. Reads no further than that. */
async function pageOf(
  all: Iterable<Descriptor> | AsyncIterable<Descriptor>,
  artifactType: string | null,
): Promise<{ readonly entries: readonly Descriptor[]; readonly hasMore: boolean }> {
  const entries: Descriptor[] = []
  let bytes = 0
  for await (const entry of all) {
    if (artifactType !== null && entry.artifactType !== artifactType) continue
    bytes += Buffer.byteLength(JSON.stringify(entry))
    if (bytes > PAGE_BYTES && entries.length > 0) return { entries, hasMore: true }
    entries.push(entry)
  }
  return { entries, hasMore: false }
}
