import type { Digest } from '../../digest/index.ts'
import type { Answer } from '../answer.ts'
import type { Call } from '../call.ts'
import { isNotModified } from '../is-not-modified.ts'
import type { UpstreamBlobs } from '../upstream/upstream-blobs.ts'
import { blobHeaders, getStoredBlob, unknownBlob } from './stored-blob.ts'

/** Answer with a blob that the store lacks and the upstream registry has. */
export async function getUpstreamBlob(
  call: Call,
  blobs: UpstreamBlobs,
  { repository, digest }: { readonly repository: string; readonly digest: Digest },
): Promise<Answer> {
  const { request, signal, store } = call
  const headers = blobHeaders(digest)
  const notModified = isNotModified(request, headers.ETag)
  if (notModified || request.method === 'HEAD') {
    const size = await blobs.stat(repository, digest, signal)
    if (size === undefined) throw unknownBlob(digest)
    if (notModified) return { status: 304, headers }
    return { status: 200, headers: { ...headers, 'Content-Length': `${size}` } }
  }
  // A range cannot be verified: fetch the whole blob first, then answer from the store.
  if (request.headers.range !== undefined) {
    const ensured = await blobs.ensure(repository, digest, signal)
    const here = ensured ? await store.stat(digest, { signal }) : undefined
    if (!here) throw unknownBlob(digest)
    return getStoredBlob(call, here)
  }
  const blob = await blobs.open(repository, digest, signal)
  if (!blob) throw unknownBlob(digest)
  return { status: 200, headers: { ...headers, 'Content-Length': `${blob.size}` }, body: blob.bytes }
}
