/** Number of requests that a registry still allows. */
export interface RateLimit {
  readonly limit: number | undefined
  readonly remaining: number
  readonly windowSeconds: number | undefined
}

/**
 * Parses `RateLimit-Remaining: 76;w=21600` and `RateLimit-Limit`, as Docker Hub sends them; `undefined` if they are
 * missing or malformed.
 */
export function parseRateLimit(headers: { readonly [name: string]: unknown }): RateLimit | undefined {
  const remaining = parse(headers['ratelimit-remaining'])
  if (!remaining) return undefined
  const limit = parse(headers['ratelimit-limit'])
  return { limit: limit?.count, remaining: remaining.count, windowSeconds: remaining.window ?? limit?.window }
}

function parse(header: unknown): { count: number; window: number | undefined } | undefined {
  const match = typeof header === 'string' ? /^\s*(\d{1,12})\s*(?:;\s*w=(\d{1,12}))?/.exec(header) : null
  return match ? { count: Number(match[1]), window: match[2] === undefined ? undefined : Number(match[2]) } : undefined
}
