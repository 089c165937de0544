import { isDigest } from '../../digest/index.ts'
import { isTag } from '../../spec/index.ts'
import type { Answer } from '../answer.ts'
import type { Call } from '../call.ts'
import { Fault } from '../fault.ts'
import { isKnown } from '../is-known.ts'
import { findTag } from '../lists/find-tag.ts'
import { outOfDate } from '../upstream/out-of-date.ts'
import { findManifest } from './proven-document.ts'

/** GET and HEAD of a manifest or index, by tag or digest. */
export async function getManifest(
  call: Call,
  route: { readonly repository: string; readonly reference: string },
): Promise<Answer> {
  const { reference } = route
  // What is no tag is the tag of nothing.
  if (!isDigest(reference) && !isTag(reference)) throw unknownManifest(reference)
  const brought = await call.upstream?.bringManifest(route, call.signal)
  if (brought?.failure) call.report(brought.failure.reason)
  const which = isDigest(reference)
    ? { digest: reference }
    : (brought?.descriptor ?? (await findTag(call.store, route.repository, reference, call.signal)))
  const found = which && (await findManifest(call.store, which, call.signal))
  if (!found) throw unknownManifest(reference)
  const { descriptor, bytes } = found
  const etag = `"${descriptor.digest}"`
  const headers = {
    'Content-Type': descriptor.mediaType,
    'Docker-Content-Digest': descriptor.digest,
    ETag: etag,
    ...(brought?.failure ? outOfDate : {}),
  }
  if (isKnown(call.request, etag)) return { status: 304, headers }
  return { status: 200, headers: { ...headers, 'Content-Length': `${descriptor.size}` }, body: bytes }
}

/** The answer when there is no such manifest. */
export function unknownManifest(reference: string): Fault {
  return new Fault(404, { code: 'MANIFEST_UNKNOWN', message: 'no such manifest', detail: { reference } })
}
