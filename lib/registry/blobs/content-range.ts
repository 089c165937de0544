/**
 * Statuses that refuse a range: 416, and those with which gateways and servers of signed URLs reject an unknown `Range`
 * header. The whole blob may still be available.
 */
export const REFUSES_RANGE: readonly number[] = [400, 403, 405, 412, 416, 501]

/** Parsed `Content-Range` header. Both ends are inclusive; `total` is `undefined` if the server does not know it. */
export interface ContentRange {
  readonly first: number
  readonly last: number
  readonly total: number | undefined
}

/** Parses `bytes first-last/total`; `undefined` for any other form and for contradictory ranges. */
export function parseContentRange(header: string | undefined): ContentRange | undefined {
  const match = /^bytes (\d{1,16})-(\d{1,16})\/(\d{1,16}|\*)$/.exec(header?.trim() ?? '')
  if (!match) return undefined
  const [first, last] = [Number(match[1]), Number(match[2])]
  const total = match[3] === '*' ? undefined : Number(match[3])
  if (first > last || (total !== undefined && last >= total)) return undefined
  return { first, last, total }
}

/** Parses the total out of the form with `*` for the range, which a server sends with status 416. */
export function parseUnsatisfiedRange(header: string | undefined): number | undefined {
  const match = /^bytes \*\/(\d{1,16})$/.exec(header?.trim() ?? '')
  return match ? Number(match[1]) : undefined
}
