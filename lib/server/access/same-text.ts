import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto'

/** Of this process alone. */
const key = randomBytes(32)

/** A text as bytes of one length, from which it cannot be told. */
export function keyedHash(text: string): Buffer {
  return createHmac('sha256', key).update(text).digest()
}

/** SAFETY: takes the same time wherever the texts differ, and whatever their lengths are. */
export function isSameText(one: string, other: string): boolean {
  return timingSafeEqual(keyedHash(one), keyedHash(other))
}
