import type { Digest } from '../../digest/index.ts'
import type { Answer } from '../answer.ts'
import type { Call } from '../call.ts'
import { Fault } from '../fault.ts'
import { isKnown } from '../is-known.ts'
import { type ByteRange, parseRange } from './parse-range.ts'

/** GET and HEAD of a blob, whole or in part. A whole blob is verified while it is sent. */
export async function getBlob(
  call: Call,
  route: { readonly repository: string; readonly digest: Digest },
): Promise<Answer> {
  const { store, signal, request } = call
  const { digest } = route
  const here = await store.stat(digest, { signal })
  const size = here?.size ?? (await call.upstream?.blobs.stat(route.repository, digest, signal))
  if (size === undefined) throw unknownBlob(digest)
  // A client that hears that the blob is here will not send it, and names it later.
  if (here && request.method === 'HEAD' && !(await store.leases.touch(digest))) throw unknownBlob(digest)
  const remote = { mediaType: 'application/octet-stream', digest, size }
  const etag = `"${digest}"`
  const headers = {
    'Content-Type': 'application/octet-stream',
    'Docker-Content-Digest': digest,
    'Accept-Ranges': 'bytes',
    'Cache-Control': 'max-age=31536000, immutable',
    ETag: etag,
  }
  if (isKnown(request, etag)) return { status: 304, headers }
  const range = request.method === 'GET' ? rangeAsked(call, etag, size) : undefined
  if (range === 'unsatisfiable') {
    throw new Fault(416, { code: 'SIZE_INVALID', message: 'no such range' }, { 'Content-Range': `bytes */${size}` })
  }
  if (!range) {
    const body = here ? store.read(digest, { signal }) : call.upstream!.blobs.read(route.repository, remote, signal)
    return { status: 200, headers: { ...headers, 'Content-Length': `${size}` }, body }
  }
  const length = range.end - range.start
  // A part cannot be proved: the whole is brought first.
  if (!here) await call.upstream!.blobs.bring(route.repository, remote, signal)
  return {
    status: 206,
    headers: {
      ...headers,
      'Content-Length': `${length}`,
      'Content-Range': `bytes ${range.start}-${range.end - 1}/${size}`,
    },
    body: store.read(digest, { signal, offset: range.start, length }),
  }
}

/** SPEC: a range counts only for the content that the client has seen before (RFC 9110, 13.1.5). */
function rangeAsked({ request }: Call, etag: string, size: number): ByteRange | 'unsatisfiable' | undefined {
  const condition = request.headers['if-range']
  if (condition !== undefined && condition !== etag) return undefined
  return parseRange(request.headers.range, size)
}

/** The answer when there is no such blob. */
export function unknownBlob(digest: Digest): Fault {
  return new Fault(404, { code: 'BLOB_UNKNOWN', message: 'no such blob', detail: { digest } })
}
