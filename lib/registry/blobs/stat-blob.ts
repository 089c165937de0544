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
 * Resolves to the size of a blob; `undefined` if the repository does not hold it, if the registry does not report its
 * size, or if it redirects to a URL that allows neither HEAD nor GET.
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
  // Some proxies set a length of zero on an answer without a body.
  return size ? { size } : statByFirstByte(endpoint, repository, digest, signal)
}

/** 400, 405, 412 and 501 only refuse the range: the size then remains unknown. */
const ANSWERS_PART = [...WITH_BODY, 206, 404, 416, 400, 405, 412, 501]

/**
 * Requests one byte, whose `Content-Range` contains the size. Cancels the answer of a server that sends the whole blob.
 */
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
    // The range of a coded body counts coded bytes.
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
