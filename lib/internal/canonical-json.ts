/**
 * JSON with keys sorted by code unit, without white space and without `undefined` members. The library writes documents
 * in this form, so equal values have equal bytes.
 */
export function canonicalJson(value: unknown): Uint8Array {
  return Buffer.from(canonicalText(value), 'utf8')
}

/** The text of {@link canonicalJson}: equal values have equal texts. */
export function canonicalText(value: unknown): string {
  return JSON.stringify(sorted(value))
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted)
  if (value === null || typeof value !== 'object') return value
  // SAFETY: `fromEntries` defines own properties, so a key named __proto__ stays a plain key.
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, member]) => member !== undefined)
      .sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
      .map(([key, member]) => [key, sorted(member)]),
  )
}
