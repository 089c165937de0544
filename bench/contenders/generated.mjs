/** Yields this number of bytes, in one buffer of 1 MiB that is reused for each chunk. */
export function* generated(bytes) {
  const chunk = Buffer.alloc(2 ** 20)
  for (let left = bytes, i = 0; left > 0; left -= chunk.length, i++) {
    chunk.writeUInt32LE(i)
    yield left < chunk.length ? chunk.subarray(0, left) : chunk
  }
}
