/** Where a request goes. */
export interface RequestTarget {
  readonly path: string
  readonly query: URLSearchParams
}

/**
 * The path of a request as it came, and its query. Not `new URL`, which would resolve `..` and take `//x/v2/` for a host.
 *
 * SPEC: a server takes the absolute form of a target too, which clients of a proxy send (RFC 9112, 3.2.2). This server has
 * one name space for all hosts, so the host decides nothing.
 */
export function parseTarget(target: string): RequestTarget {
  const url = target.replace(/^https?:\/\/[^/?#]*/i, '')
  const at = url.indexOf('?')
  return at < 0
    ? { path: url, query: new URLSearchParams() }
    : { path: url.slice(0, at), query: new URLSearchParams(url.slice(at + 1)) }
}
