/** SPEC: the prime 2^130 - 5 (RFC 8439, 2.5). */
const PRIME = (1n << 130n) - 5n
/** SPEC: the bits of r that are cleared. */
const CLAMP = 0x0ffffffc0ffffffc0ffffffc0fffffffn

/**
 * Computes the Poly1305 tag of a message. Only keys of a few hundred bytes pass through it, so it uses big integers.
 *
 * @param key - 32 bytes that are used for one message only.
 * @see {@link https://www.rfc-editor.org/rfc/rfc8439#section-2.5 | RFC 8439, 2.5}
 */
export function poly1305(key: Uint8Array, message: Uint8Array): Uint8Array {
  const r = numberOf(key.subarray(0, 16)) & CLAMP
  let sum = 0n
  for (let at = 0; at < message.byteLength; at += 16) {
    const block = message.subarray(at, at + 16)
    sum = ((sum + numberOf(block) + (1n << BigInt(8 * block.byteLength))) * r) % PRIME
  }
  const tag = sum + numberOf(key.subarray(16, 32))
  return Uint8Array.from({ length: 16 }, (_, i) => Number((tag >> BigInt(8 * i)) & 0xffn))
}

/** The number that bytes are, the least significant first. */
function numberOf(bytes: Uint8Array): bigint {
  return bytes.reduceRight((sum, byte) => (sum << 8n) | BigInt(byte), 0n)
}
