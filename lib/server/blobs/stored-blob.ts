import type { Digest } from '../../digest/index.ts'
import { driverOf } from '../../store/index.ts'
import type { Answer } from '../answer.ts'
import type { Call } from '../call.ts'
import { Fault } from '../fault.ts'
import { isNotModified } from '../is-not-modified.ts'
import { type ByteRange, parseRange } from './parse-range.ts'

/** Time for a client to begin its download. */
const ADDRESS_SECONDS = 15 * 60

/** Answer with a blob of the store. */
export async function getStoredBlob(
  call: Call,
  { digest, size }: { readonly digest: Digest; readonly size: number },
): Promise<Answer> {
  const { store, signal, request } = call
  const { verify } = call.settings
  // A client that gets 200 does not upload the blob, and refers to it later: `touch` protects it from a collection
  // until then.
  if (request.method === 'HEAD' && !(await store.leases.touch(digest))) throw unknownBlob(digest)
  const headers = blobHeaders(digest)
  if (isNotModified(request, headers.ETag)) return { status: 304, headers }
  const address = await addressFor(call, digest)
  // SAFETY: any client that has the address can read the blob, so no cache may keep the answer.
  if (address !== undefined)
    return { status: 307, headers: { ...headers, 'Cache-Control': 'no-store', Location: address } }
  const range = request.method === 'GET' ? rangeAsked(call, headers.ETag, size) : undefined
  if (range === 'unsatisfiable') {
    throw new Fault(
      416,
      { code: 'SIZE_INVALID', message: 'range not satisfiable' },
      { 'Content-Range': `bytes */${size}` },
    )
  }
  if (!range) {
    const body = store.read(digest, { signal, verify })
    return { status: 200, headers: { ...headers, 'Content-Length': `${size}` }, body }
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

/** Address outside of this server for a GET; the client repeats its `Range` there. */
async function addressFor({ store, request, settings, signal }: Call, digest: Digest): Promise<string | undefined> {
  const { addressOf } = driverOf(store)
  if (request.method !== 'GET' || !addressOf || !settings.redirects(request)) return undefined
  return addressOf.call(store, digest, { expiresIn: ADDRESS_SECONDS, signal })
}

/** Headers of a blob, for stored and upstream blobs alike. */
export function blobHeaders(digest: Digest) {
  return {
    'Content-Type': 'application/octet-stream',
    'Docker-Content-Digest': digest,
    'Accept-Ranges': 'bytes',
    'Cache-Control': 'max-age=31536000, immutable',
    ETag: `"${digest}"`,
  }
}

/** The requested range. SPEC: with `If-Range` it counts only if the ETag matches (RFC 9110, 13.1.5). */
function rangeAsked({ request }: Call, etag: string, size: number): ByteRange | 'unsatisfiable' | undefined {
  const condition = request.headers['if-range']
  if (condition !== undefined && condition !== etag) return undefined
  return parseRange(request.headers.range, size)
}

/** Fault for a blob that does not exist. */
export function unknownBlob(digest: Digest): Fault {
  return new Fault(404, { code: 'BLOB_UNKNOWN', message: 'no such blob', detail: { digest } })
}
