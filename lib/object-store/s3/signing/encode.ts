/**
 * Percent-encodes a text as Signature Version 4 demands: every byte of UTF-8 except unreserved characters, with
 * capital hexadecimal digits.
 *
 * SPEC: `encodeURIComponent` leaves five characters that RFC 3986 reserves.
 */
export function encodeText(text: string): string {
  return encodeURIComponent(text).replace(/[!'()*]/g, one => `%${one.charCodeAt(0).toString(16).toUpperCase()}`)
}

/** Percent-encodes a key; its slashes stay. */
export function encodePath(path: string): string {
  return path.split('/').map(encodeText).join('/')
}

/** Parameters of a query as pairs of plain texts. */
export type QueryPairs = readonly (readonly [name: string, value: string])[]

/** Canonical query: encoded, then sorted by the bytes of the names and of the values. */
export function encodeQuery(pairs: QueryPairs): string {
  const encoded = pairs.map(([name, value]) => [encodeText(name), encodeText(value)] as const)
  encoded.sort((a, b) => compare(a[0], b[0]) || compare(a[1], b[1]))
  return encoded.map(([name, value]) => `${name}=${value}`).join('&')
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
