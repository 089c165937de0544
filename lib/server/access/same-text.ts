import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto'

/** Random key of this process. */
const key = randomBytes(32)

/** Hash of a text under the key of this process: 32 bytes that reveal nothing about the text. */
export function keyedHash(text: string): Buffer {
  return createHmac('sha256', key).update(text).digest()
}

/**
 * Compares two texts. SAFETY: a comparison that stops at the first difference would let a client guess a password
 * character by character; this one compares hashes of one length in constant time.
 */
export function isSameText(one: string, other: string): boolean {
  return timingSafeEqual(keyedHash(one), keyedHash(other))
}
