const NANOSECONDS: ReadonlyMap<string, number> = new Map([
  ['ns', 1],
  ['us', 1e3],
  ['µs', 1e3],
  ['μs', 1e3],
  ['ms', 1e6],
  ['s', 1e9],
  ['m', 60e9],
  ['h', 3600e9],
])

/** Longest duration that Go can hold, 2^63 - 1 ns. */
const LONGEST = 2 ** 63

/** Parses a duration of Go, such as `1m30.5s`, into nanoseconds; `undefined` if it is none. */
export function parseDuration(text: string): number | undefined {
  const negative = text.startsWith('-')
  const body = /^[+-]/.test(text) ? text.slice(1) : text
  if (body === '0') return 0
  if (!/^(?:(?:\d+\.?\d*|\.\d+)(?:ns|us|µs|μs|ms|s|m|h))+$/.test(body)) return undefined
  let total = 0
  for (const [, amount, unit] of body.matchAll(/([\d.]+)([a-zµμ]+)/g)) {
    total += Number(amount) * NANOSECONDS.get(unit!)!
  }
  if (total >= LONGEST) return undefined
  return negative ? -Math.trunc(total) : Math.trunc(total)
}
