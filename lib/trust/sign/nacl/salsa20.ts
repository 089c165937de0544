/** SPEC: the constant of Salsa20 for keys of 32 bytes, "expand 32-byte k". */
const SIGMA = [0x61707865, 0x3320646e, 0x79622d32, 0x6b206574] as const

/** One block of the key stream of Salsa20/20, in bytes. */
const BLOCK = 64

/**
 * Derives the key of XSalsa20 from a key and the first 16 bytes of a nonce (HSalsa20).
 *
 * @see {@link https://cr.yp.to/snuffle/xsalsa-20110204.pdf | Extending the Salsa20 nonce}
 */
export function hsalsa20(key: Uint8Array, nonce: Uint8Array): Uint8Array {
  const words = stateOf(key, nonce)
  rounds(words)
  const picked = [0, 5, 10, 15, 6, 7, 8, 9].map(at => words[at]!)
  return littleEndian(Uint32Array.from(picked))
}

/**
 * Combines a message with the key stream of Salsa20/20; the same call reverses it.
 *
 * @param nonce - 8 bytes.
 * @see {@link https://cr.yp.to/snuffle/spec.pdf | Salsa20 specification}
 */
export function salsa20Xor(key: Uint8Array, nonce: Uint8Array, message: Uint8Array): Uint8Array {
  const result = Uint8Array.from(message)
  const input = new Uint8Array(16)
  input.set(nonce)
  for (let at = 0; at < message.byteLength; at += BLOCK) {
    new DataView(input.buffer).setBigUint64(8, BigInt(at / BLOCK), true)
    const start = stateOf(key, input)
    const words = start.slice()
    rounds(words)
    const stream = littleEndian(words.map((word, i) => word + start[i]!))
    for (let i = at; i < Math.min(at + BLOCK, message.byteLength); i++) result[i]! ^= stream[i - at]!
  }
  return result
}

/** @param input - 16 bytes: nonce and counter. */
function stateOf(key: Uint8Array, input: Uint8Array): Uint32Array {
  const k = wordsOf(key)
  const n = wordsOf(input)
  return Uint32Array.of(SIGMA[0], ...k.slice(0, 4), SIGMA[1], ...n, SIGMA[2], ...k.slice(4), SIGMA[3])
}

/** Four indexes of a quarter round each: those of a column round, then those of a row round. */
const QUARTERS = [
  [0, 4, 8, 12],
  [5, 9, 13, 1],
  [10, 14, 2, 6],
  [15, 3, 7, 11],
  [0, 1, 2, 3],
  [5, 6, 7, 4],
  [10, 11, 8, 9],
  [15, 12, 13, 14],
] as const

function rounds(words: Uint32Array): void {
  for (let round = 0; round < 10; round++) {
    for (const [a, b, c, d] of QUARTERS) {
      words[b]! ^= rotate(words[a]! + words[d]!, 7)
      words[c]! ^= rotate(words[b]! + words[a]!, 9)
      words[d]! ^= rotate(words[c]! + words[b]!, 13)
      words[a]! ^= rotate(words[d]! + words[c]!, 18)
    }
  }
}

function rotate(sum: number, by: number): number {
  const word = sum >>> 0
  return (word << by) | (word >>> (32 - by))
}

function wordsOf(bytes: Uint8Array): Uint32Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  return Uint32Array.from({ length: bytes.byteLength / 4 }, (_, i) => view.getUint32(4 * i, true))
}

function littleEndian(words: Uint32Array): Uint8Array {
  const bytes = new Uint8Array(words.length * 4)
  const view = new DataView(bytes.buffer)
  for (const [i, word] of words.entries()) view.setUint32(4 * i, word, true)
  return bytes
}
