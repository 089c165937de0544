/** Bytes that compress well in part, the same on every run. */
export function mixedBytes(size: number): Buffer {
  const bytes = Buffer.alloc(size)
  let state = 12345
  for (let at = 0; at < size; at++) {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0
    bytes[at] = (at >> 12) % 3 === 0 ? state >>> 16 : 97 + ((at >> 5) % 20)
  }
  return bytes
}
