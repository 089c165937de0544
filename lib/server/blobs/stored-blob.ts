import type { Digest } from '../../digest/index.ts'
import type { Answer } from '../answer.ts'
import type { Call } from '../call.ts'
import { Fault } from '../fault.ts'
import { isKnown } from '../is-known.ts'
import { type ByteRange, parseRange } from './parse-range.ts'

/** The answer with a blob that the store has. */
export async function getStoredBlob(
  call: Call,
  { digest, size }: { readonly digest: Digest; readonly size: number },
): Promise<Answer> {
  const { store, signal, request } = call
  // A client that hears that the blob is here will not send it, and names it later.
  if (request.method === 'HEAD' && !(await store.leases.touch(digest))) throw unknownBlob(digest)
  const headers = blobHeaders(digest)
  if (isKnown(request, headers.ETag)) return { status: 304, headers }
  const range = request.method === 'GET' ? rangeAsked(call, headers.ETag, size) : undefined
  if (range === 'unsatisfiable') {
    throw new Fault(416, { code: 'SIZE_INVALID', message: 'no such range' }, { 'Content-Range': `bytes */${size}` })
  }
  if (!range) {
    return { status: 200, headers: { ...headers, 'Content-Length': `${size}` }, body: store.read(digest, { signal }) }
  }
  const length = range.end - range.start
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

/** What is said of a blob, wherever it comes from. */
export function blobHeaders(digest: Digest) {
  return {
    'Content-Type': 'application/octet-stream',
    'Docker-Content-Digest': digest,
    'Accept-Ranges': 'bytes',
    'Cache-Control': 'max-age=31536000, immutable',
    ETag: `"${digest}"`,
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
