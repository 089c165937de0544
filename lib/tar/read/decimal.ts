/**
 * A whole number in decimal digits, or `NaN`. Zeros in front mean nothing, however many: GNU tar, bsdtar, Go and python
 * read them.
 */
export function decimal(text: string): number {
  const value = /^[0-9]+$/.test(text) ? Number(text) : Number.NaN
  return value <= Number.MAX_SAFE_INTEGER ? value : Number.NaN
}
