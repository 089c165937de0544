/**
 * The number in a field of a header block: octal digits with blanks before and blanks or NULs behind, or the base 256 of
 * GNU; `NaN` for anything else and for what is over 2^53. An empty field is 0.
 *
 * SAFETY: of a NUL before the digits some readers make 0 and others the number behind it; here it is no number.
 */
export function numericField(block: Buffer, at: number, width: number): number {
  if (block[at]! & 0x80) return base256(block, at, width)
  const end = at + width
  let i = at
  while (i < end && block[i] === 0x20) i++
  let value = 0
  for (; i < end; i++) {
    const digit = block[i]! - 0x30
    if (digit < 0 || digit > 7) break
    value = value * 8 + digit
  }
  for (; i < end; i++) if (block[i] !== 0x20 && block[i] !== 0) return Number.NaN
  return value
}

/** Two's complement of all bits but the first. */
function base256(block: Buffer, at: number, width: number): number {
  const flip = block[at]! & 0x40 ? 0xff : 0
  let value = (block[at]! ^ flip) & 0x7f
  for (let i = at + 1; i < at + width; i++) {
    value = value * 256 + (block[i]! ^ flip)
    if (value > Number.MAX_SAFE_INTEGER) return Number.NaN
  }
  return flip ? -value - 1 : value
}
