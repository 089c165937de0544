/** Where bytes may come from: one buffer, a list of chunks, or a stream of them (a Node `Readable` is one). */
export type ByteSource = Uint8Array | Iterable<Uint8Array> | AsyncIterable<Uint8Array>

/** The chunks of a source, one after the other. Chunks of a buffer are the buffer itself. */
export function chunksOf(source: ByteSource): Iterable<Uint8Array> | AsyncIterable<Uint8Array> {
  return source instanceof Uint8Array ? [source] : source
}
