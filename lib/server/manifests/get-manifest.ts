import { type Digest, isDigest } from '../../digest/index.ts'
import { FormatError } from '../../errors/index.ts'
import { type Descriptor, isTag, Limits, parseImageDocument } from '../../spec/index.ts'
import { findDocument } from '../../store/index.ts'
import type { Answer } from '../answer.ts'
import type { Call } from '../call.ts'
import { Fault } from '../fault.ts'
import { isKnown } from '../is-known.ts'
import { findTag } from '../served-names.ts'

/** GET and HEAD of a manifest or index, by tag or digest. */
export async function getManifest(
  call: Call,
  route: { readonly repository: string; readonly reference: string },
): Promise<Answer> {
  const { reference } = route
  // What is no tag is the tag of nothing.
  if (!isDigest(reference) && !isTag(reference)) throw unknownManifest(reference)
  const { isStale, ...upstream } = (await call.upstream?.bringManifest(route, call.signal)) ?? { isStale: false }
  const found = isDigest(reference)
    ? await documentOf(call, reference)
    : await taggedDocument(call, route, upstream.descriptor)
  if (!found) throw unknownManifest(reference)
  const { descriptor, bytes } = found
  const etag = `"${descriptor.digest}"`
  const headers = {
    'Content-Type': descriptor.mediaType,
    'Docker-Content-Digest': descriptor.digest,
    ETag: etag,
    ...(isStale ? { Warning: '299 - "the upstream registry does not answer; this may be out of date"' } : {}),
  }
  if (isKnown(call.request, etag)) return { status: 304, headers }
  return { status: 200, headers: { ...headers, 'Content-Length': `${descriptor.size}` }, body: bytes }
}

/** The answer when there is no such manifest. */
export function unknownManifest(reference: string): Fault {
  return new Fault(404, { code: 'MANIFEST_UNKNOWN', message: 'no such manifest', detail: { reference } })
}

interface FoundDocument {
  readonly descriptor: Descriptor
  readonly bytes: Uint8Array
}

async function taggedDocument(
  { store, signal }: Call,
  { repository, reference }: { readonly repository: string; readonly reference: string },
  known: Descriptor | undefined,
): Promise<FoundDocument | undefined> {
  const descriptor = known ?? (await findTag(store, repository, reference, signal))
  const bytes = descriptor && (await findDocument(store, descriptor, { signal }))
  return bytes && { descriptor, bytes }
}

/** A blob is served as a manifest only if it is one: the media type that names gave it is not known here. */
export async function documentOf({ store, signal }: Call, digest: Digest): Promise<FoundDocument | undefined> {
  const info = await store.stat(digest, { signal })
  if (!info || info.size > Limits.manifestBytes) return undefined
  const bytes = await findDocument(store, { ...info, mediaType: '' }, { signal })
  if (!bytes) return undefined
  try {
    const { mediaType } = parseImageDocument(bytes)
    return { descriptor: { mediaType, ...info }, bytes }
  } catch (error) {
    if (error instanceof FormatError) return undefined
    throw error
  }
}
