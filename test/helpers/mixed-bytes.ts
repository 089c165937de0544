/** Bytes that compress well in part, the same on every run; another seed gives other bytes. */
export function mixedBytes(size: number, seed = 12345): Buffer {
  const bytes = Buffer.alloc(size)
  let state = seed
  for (let at = 0; at < size; at++) {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0
    bytes[at] = (at >> 12) % 3 === 0 ? state >>> 16 : 97 + ((at >> 5) % 20)
  }
  return bytes
}
