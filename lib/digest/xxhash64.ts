/**
 * The 64-bit xxHash of one input after another. It is no digest: it finds damage, not forgery. The frames of zstd end with
 * the low half of it.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc8878#section-3.1.1 | RFC 8878: content checksum}
 * @internal
 */
export interface Xxhash64 {
  /** Begins a new input. */
  begin(): void
  /** Adds bytes to the input. They are read before the call returns. */
  update(chunk: Uint8Array): void
  /** Ends the input: the low 32 bits of its hash. */
  low(): number
}

/**
 * Opens a hasher. Its memory is freed with it.
 *
 * @internal
 */
export async function createXxhash64(): Promise<Xxhash64> {
  // Loaded with the first zstd frame that has a checksum, by nothing else.
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
