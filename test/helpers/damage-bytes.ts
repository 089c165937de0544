/** How {@link damageBytes} changes bytes. */
export type Damage = 'flip' | 'shorten' | 'extend' | 'empty'

/** Returns damaged bytes: one bit flipped in the middle, without the last byte, with one more byte, or none. */
export function damageBytes(bytes: Uint8Array, how: Damage): Buffer {
  const copy = Buffer.from(bytes)
  if (how === 'shorten') return copy.subarray(0, -1)
  if (how === 'extend') return Buffer.concat([copy, copy.subarray(0, 1)])
  if (how === 'empty') return Buffer.alloc(0)
  copy[copy.length >> 1]! ^= 0x10
  return copy
}
