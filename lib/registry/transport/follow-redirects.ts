import type { UrlPolicy } from '../addresses/url-policy.ts'
import { drainAnswer } from './drain-answer.ts'
import { protocolError } from './protocol-error.ts'
import type { Transport, WireAnswer, WireRequest } from './transport.ts'

const MAX_HOPS = 10
/** Headers that the client sends only to the origin that they were made for. */
const FOR_ONE_ORIGIN = ['authorization', 'cookie', 'oci-namespace']

/**
 * Sends a request and follows redirects.
 *
 * SAFETY: a registry could redirect to a host that collects secrets. At the first other origin (host, port or scheme)
 * the request permanently loses its credentials, client certificate and exemption from certificate checks.
 */
export async function followRedirects(
  transport: Transport,
  request: WireRequest,
  policy: UrlPolicy,
): Promise<WireAnswer> {
  let current = request
  for (let hop = 0; hop <= MAX_HOPS; hop++) {
    const answer = await transport.exchange({ ...current, reach: await policy.reachOf(current.url) })
    if (!isRedirect(answer.status, current.method)) return answer
    const { location } = answer.headers
    await drainAnswer(answer)
    if (location === undefined) throw protocolError(current, `status ${answer.status} without a location`)
    current = redirected(current, policy.follow(location, current, 'redirect'))
  }
  throw protocolError(request, `more than ${MAX_HOPS} redirects`)
}

/** SPEC: 307 and 308 keep the method. 301 to 303 may turn it into GET, so they are followed for GET and HEAD only. */
function isRedirect(status: number, method: string): boolean {
  if (status === 307 || status === 308) return true
  return (status === 301 || status === 302 || status === 303) && (method === 'GET' || method === 'HEAD')
}

function redirected(request: WireRequest, url: URL): WireRequest {
  if (url.origin === request.url.origin) return { ...request, url }
  const kept = Object.entries(request.headers).filter(([name]) => !FOR_ONE_ORIGIN.includes(name))
  return { ...request, url, headers: Object.fromEntries(kept), tls: undefined }
}
