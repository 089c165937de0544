import type { Digest } from '../../digest/index.ts'
import type { Repository } from '../../oci/index.ts'
import { isRedirected, takesHead } from '../answers/head-answer.ts'
import { SUCCESS, WITH_BODY } from '../answers/success.ts'
import type { RegistryEndpoint } from '../endpoint/registry-endpoint.ts'
import { drainAnswer } from '../transport/drain-answer.ts'
import type { WireAnswer } from '../transport/transport.ts'
import { blobRequest } from './blob-request.ts'
import { parseContentRange, parseUnsatisfiedRange } from './content-range.ts'

/**
 * Whether the repository holds a blob, and how long it is; `undefined` also if the registry will not say how long, or sends
 * us to where neither HEAD nor GET is allowed.
 */
export async function statBlob(
  endpoint: RegistryEndpoint,
  repository: Repository,
  digest: Digest,
  signal: AbortSignal | undefined,
): Promise<{ size: number } | undefined> {
  const head = blobRequest(endpoint, 'HEAD', repository, digest, signal)
  const answer = await endpoint.send({ ...head, expect: takesHead(head.url) })
  await drainAnswer(answer)
  if (answer.status === 404 && !isRedirected(answer, head.url)) return undefined
  const size = SUCCESS.includes(answer.status) ? lengthOf(answer) : undefined
  // Zero is what some proxies make of an answer without a body.
  return size ? { size } : statByFirstByte(endpoint, repository, digest, signal)
}

/** 400, 405, 412 and 501 are about the range alone: the registry will not say. */
const ANSWERS_PART = [...WITH_BODY, 206, 404, 416, 400, 405, 412, 501]

/** Asks for one byte, whose `Content-Range` tells the length; a server that sends everything instead is cut off. */
async function statByFirstByte(
  endpoint: RegistryEndpoint,
  repository: Repository,
  digest: Digest,
  signal: AbortSignal | undefined,
): Promise<{ size: number } | undefined> {
  const get = blobRequest(endpoint, 'GET', repository, digest, signal)
  const headers = { range: 'bytes=0-0' }
  const expect = (answer: WireAnswer) =>
    ANSWERS_PART.includes(answer.status) || (isRedirected(answer, get.url) && isRefusal(answer))
  const answer = await endpoint.send({ ...get, headers, expect })
  answer.cancel()
  const range = answer.headers['content-range']
  const sizes: Record<number, number | undefined> = {
    200: lengthOf(answer),
    203: lengthOf(answer),
    // Of a coded body the range counts coded bytes.
    206: answer.headers['content-encoding'] === undefined ? parseContentRange(range)?.total : undefined,
    416: parseUnsatisfiedRange(range),
  }
  const size = sizes[answer.status]
  return size === undefined ? undefined : { size }
}

function isRefusal({ status }: WireAnswer): boolean {
  return status >= 400 && status < 500 && status !== 429
}

function lengthOf({ headers }: WireAnswer): number | undefined {
  const length = headers['content-length']
  return length !== undefined && /^\d{1,16}$/.test(length) && headers['content-encoding'] === undefined
    ? Number(length)
    : undefined
}
