import { isDigest } from '../../digest/index.ts'
import { isTag } from '../../oci/index.ts'
import type { Answer } from '../answer.ts'
import type { Call } from '../call.ts'
import { Fault } from '../fault.ts'
import { isNotModified } from '../is-not-modified.ts'
import { findTag } from '../lists/find-tag.ts'
import { outOfDate } from '../out-of-date.ts'
import { assertLayersStored } from './assert-layers-stored.ts'

/** GET and HEAD of a manifest or index, by tag or digest. */
export async function getManifest(
  call: Call,
  route: { readonly repository: string; readonly reference: string },
): Promise<Answer> {
  const { reference } = route
  // A reference that is no valid tag cannot exist.
  if (!isDigest(reference) && !isTag(reference)) throw unknownManifest(reference)
  const ensured = await call.upstream?.ensureManifest(route, call.signal)
  if (ensured?.failure) call.report(ensured.failure.reason)
  const tagged = isDigest(reference)
    ? undefined
    : (ensured?.descriptor ?? (await findTag(call.store, route.repository, reference, call.signal)))
  if (tagged) await assertLayersStored(call, tagged, reference)
  const which = isDigest(reference) ? { digest: reference } : tagged
  const found = which && (await call.manifests.find(which, call.signal))
  if (!found) throw unknownManifest(reference)
  const { descriptor, body } = found
  const etag = `"${descriptor.digest}"`
  const headers = {
    'Content-Type': descriptor.mediaType,
    'Docker-Content-Digest': descriptor.digest,
    ETag: etag,
    ...(ensured?.failure ? outOfDate : {}),
  }
  if (isNotModified(call.request, etag)) return { status: 304, headers }
  return { status: 200, headers: { ...headers, 'Content-Length': `${descriptor.size}` }, body }
}

/** Fault for a manifest that does not exist. */
export function unknownManifest(reference: string): Fault {
  return new Fault(404, { code: 'MANIFEST_UNKNOWN', message: 'no such manifest', detail: { reference } })
}
