import { timingSafeEqual } from 'node:crypto'
import { poly1305 } from './poly1305.ts'
import { hsalsa20, salsa20Xor } from './salsa20.ts'

/** Bytes of the tag in front of the encrypted message. */
const TAG = 16
/** Bytes of the key stream that are the key of the tag. */
const TAG_KEY = 32

/**
 * Encrypts a message as `crypto_secretbox` of NaCl does (XSalsa20-Poly1305), which Node does not have.
 *
 * @param key - 32 bytes.
 * @param nonce - 24 bytes that are used once with this key.
 * @see {@link https://nacl.cr.yp.to/secretbox.html | NaCl: secret-key authenticated encryption}
 */
export function sealSecretbox(key: Uint8Array, nonce: Uint8Array, message: Uint8Array): Uint8Array {
  const stream = salsa20Xor(hsalsa20(key, nonce.subarray(0, 16)), nonce.subarray(16), padded(message))
  const encrypted = stream.subarray(TAG_KEY)
  return Buffer.concat([poly1305(stream.subarray(0, TAG_KEY), encrypted), encrypted])
}

/** Decrypts what {@link sealSecretbox} returned; `undefined` if the key is wrong or the bytes were changed. */
export function openSecretbox(key: Uint8Array, nonce: Uint8Array, box: Uint8Array): Uint8Array | undefined {
  if (box.byteLength < TAG) return undefined
  const encrypted = box.subarray(TAG)
  const stream = salsa20Xor(hsalsa20(key, nonce.subarray(0, 16)), nonce.subarray(16), padded(encrypted))
  const tag = poly1305(keyOfTag(key, nonce), encrypted)
  return timingSafeEqual(tag, box.subarray(0, TAG)) ? stream.subarray(TAG_KEY) : undefined
}

function keyOfTag(key: Uint8Array, nonce: Uint8Array): Uint8Array {
  return salsa20Xor(hsalsa20(key, nonce.subarray(0, 16)), nonce.subarray(16), new Uint8Array(TAG_KEY))
}

/** SPEC: the first 32 bytes of the key stream are the key of the tag, so the message begins behind them. */
function padded(message: Uint8Array): Uint8Array {
  return Buffer.concat([new Uint8Array(TAG_KEY), message])
}
