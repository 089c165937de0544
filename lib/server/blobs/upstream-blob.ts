import type { Digest } from '../../digest/index.ts'
import type { Answer } from '../answer.ts'
import type { Call } from '../call.ts'
import { isKnown } from '../is-known.ts'
import type { UpstreamBlobs } from '../upstream/upstream-blobs.ts'
import { blobHeaders, getStoredBlob, unknownBlob } from './stored-blob.ts'

/** The answer with a blob that only the upstream registry has. */
export async function getUpstreamBlob(
  call: Call,
  blobs: UpstreamBlobs,
  { repository, digest }: { readonly repository: string; readonly digest: Digest },
): Promise<Answer> {
  const { request, signal, store } = call
  const headers = blobHeaders(digest)
  const known = isKnown(request, headers.ETag)
  if (known || request.method === 'HEAD') {
    const size = await blobs.stat(repository, digest, signal)
    if (size === undefined) throw unknownBlob(digest)
    if (known) return { status: 304, headers }
    return { status: 200, headers: { ...headers, 'Content-Length': `${size}` } }
  }
  // A part cannot be proved: the whole is brought first.
  if (request.headers.range !== undefined) {
    const brought = await blobs.bring(repository, digest, signal)
    const here = brought ? await store.stat(digest, { signal }) : undefined
    if (!here) throw unknownBlob(digest)
    return getStoredBlob(call, here)
  }
  const blob = await blobs.open(repository, digest, signal)
  if (!blob) throw unknownBlob(digest)
  return { status: 200, headers: { ...headers, 'Content-Length': `${blob.size}` }, body: blob.bytes }
}
