import type { Digest } from '../../digest/index.ts'
import type { Answer } from '../answer.ts'
import type { Call } from '../call.ts'
import { getStoredBlob, unknownBlob } from './stored-blob.ts'
import { getUpstreamBlob } from './upstream-blob.ts'

/** GET and HEAD of a blob, whole or a range. A whole blob is verified while it is sent. */
export async function getBlob(
  call: Call,
  route: { readonly repository: string; readonly digest: Digest },
): Promise<Answer> {
  const here = await call.store.stat(route.digest, { signal: call.signal })
  if (here) return getStoredBlob(call, here)
  if (call.upstream) return getUpstreamBlob(call, call.upstream.blobs, route)
  throw unknownBlob(route.digest)
}
