/**
 * Parses a whole number in decimal digits; `NaN` for other text. Any number of leading zeros is allowed, as in GNU tar,
 * bsdtar, Go and Python.
 */
export function decimal(text: string): number {
  const value = /^[0-9]+$/.test(text) ? Number(text) : Number.NaN
  return value <= Number.MAX_SAFE_INTEGER ? value : Number.NaN
}
