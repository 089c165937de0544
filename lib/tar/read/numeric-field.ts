/**
 * Parses a number in a field of a header block: octal digits with leading spaces and trailing spaces or NULs, or base
 * 256 of GNU tar. Other bytes and numbers over 2^53 give `NaN`. An empty field is 0.
 *
 * SAFETY: if a NUL precedes the digits, some readers read 0 and others the number after it, so they would see different
 * sizes. Such a field gives `NaN`, and the archive is refused.
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

/** Parses two's complement without the first bit. */
function base256(block: Buffer, at: number, width: number): number {
  const flip = block[at]! & 0x40 ? 0xff : 0
  let value = (block[at]! ^ flip) & 0x7f
  for (let i = at + 1; i < at + width; i++) {
    value = value * 256 + (block[i]! ^ flip)
    if (value > Number.MAX_SAFE_INTEGER) return Number.NaN
  }
  return flip ? -value - 1 : value
}
