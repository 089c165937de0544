/**
 * Computes the 64-bit xxHash of one input after another. It detects damage, not forgery, so it is no digest. zstd
 * frames end with its low half.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc8878#section-3.1.1 | RFC 8878: content checksum}
 * @internal
 */
export interface Xxhash64 {
  /** Starts a new input. */
  begin(): void
  /** Adds bytes to the input. They are read before the call returns. */
  update(chunk: Uint8Array): void
  /** Ends the input and returns the low 32 bits of its hash. */
  low(): number
}

/**
 * Creates a hasher. The garbage collector frees its memory.
 *
 * @internal
 */
export async function createXxhash64(): Promise<Xxhash64> {
  // PERF: loaded at the first zstd frame with a checksum.
  const { default: module } = await import('hash-wasm/dist/xxhash64.umd.min.js')
  const hasher = await module.createXXHash64()
  return {
    begin: () => void hasher.init(),
    update: chunk => void hasher.update(chunk),
    low: () => {
      const hash = hasher.digest('binary')
      return new DataView(hash.buffer, hash.byteOffset).getUint32(4)
    },
  }
}
