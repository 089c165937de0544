/** Request target (RFC 9112, 3.2), split into path and query. */
export interface RequestTarget {
  readonly path: string
  readonly query: URLSearchParams
}

/**
 * Splits a request target. `new URL` is not used: it would resolve `..` and read `//x/v2/` as a host.
 *
 * SPEC: a server must accept the absolute form of a target, which clients send to proxies (RFC 9112, 3.2.2). This
 * server has one name space for all hosts, so the host is ignored.
 */
export function parseTarget(target: string): RequestTarget {
  const url = target.replace(/^https?:\/\/[^/?#]*/i, '')
  const at = url.indexOf('?')
  return at < 0
    ? { path: url, query: new URLSearchParams() }
    : { path: url.slice(0, at), query: new URLSearchParams(url.slice(at + 1)) }
}
