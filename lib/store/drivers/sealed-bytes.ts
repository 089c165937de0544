const MAGIC = 'layerstore 1 '
/** Prefix of sealed bytes. */
export const SEAL: RegExp = /^layerstore 1 /
/** A multiple of 8, so that the 64-bit words after the header are aligned. */
const HEAD_BYTES = 32

/** Prepends a checksum line to bytes. It detects damage, not forgery. */
export function sealBytes(bytes: Uint8Array): Buffer {
  return Buffer.concat([headOf(bytes), bytes])
}

/** The bytes after a seal, or `undefined` if the checksum does not match. */
export function openSealed(sealed: Buffer): Buffer | undefined {
  const bytes = sealed.subarray(HEAD_BYTES)
  return sealed.subarray(0, HEAD_BYTES).equals(headOf(bytes)) ? bytes : undefined
}

function headOf(bytes: Uint8Array): Buffer {
  return Buffer.from(`${MAGIC}${checksum(bytes)}`.padEnd(HEAD_BYTES - 1).concat('\n'), 'latin1')
}

/**
 * A 64-bit checksum of all bytes and their number.
 *
 * PERF: not a digest, because loading the hasher takes 16 ms: four times as long as the rest of a cached answer.
 */
function checksum(bytes: Uint8Array): string {
  const { byteLength } = bytes
  const words = byteLength >> 2
  const aligned = bytes.byteOffset % 4 === 0 ? bytes : Uint8Array.from(bytes)
  const view = new Int32Array(aligned.buffer, aligned.byteOffset, words)
  let a = 0x9e3779b9 ^ byteLength
  let b = 0x85ebca6b ^ byteLength
  for (let i = 0; i < words; i++) {
    const word = view[i]!
    a = Math.imul(a ^ word, 0x01000193)
    b = Math.imul(b ^ (word >>> 15) ^ (word << 17), 0xcc9e2d51 | 0)
    b = (b << 13) | (b >>> 19)
  }
  for (let i = words << 2; i < byteLength; i++) {
    a = Math.imul(a ^ bytes[i]!, 0x01000193)
    b = Math.imul(b ^ bytes[i]!, 0x1b873593)
  }
  return [a, b].map(half => (half >>> 0).toString(16).padStart(8, '0')).join('')
}
