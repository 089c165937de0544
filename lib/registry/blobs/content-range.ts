/**
 * How servers answer that they give no such part: 416, and what signed addresses and gateways say to a `Range` that they do
 * not know. The whole blob may still be had.
 */
export const REFUSES_RANGE: readonly number[] = [400, 403, 405, 412, 416, 501]

/** What a `Content-Range` header says. Both ends are inclusive; `total` is `undefined` where the server does not know. */
export interface ContentRange {
  readonly first: number
  readonly last: number
  readonly total: number | undefined
}

/** Reads `bytes first-last/total`; anything else, also ranges that contradict themselves, is `undefined`. */
export function parseContentRange(header: string | undefined): ContentRange | undefined {
  const match = /^bytes (\d{1,16})-(\d{1,16})\/(\d{1,16}|\*)$/.exec(header?.trim() ?? '')
  if (!match) return undefined
  const [first, last] = [Number(match[1]), Number(match[2])]
  const total = match[3] === '*' ? undefined : Number(match[3])
  if (first > last || (total !== undefined && last >= total)) return undefined
  return { first, last, total }
}

/** Reads the form with `*` for the range, the header of an answer that has no such range (status 416). */
export function parseUnsatisfiedRange(header: string | undefined): number | undefined {
  const match = /^bytes \*\/(\d{1,16})$/.exec(header?.trim() ?? '')
  return match ? Number(match[1]) : undefined
}
